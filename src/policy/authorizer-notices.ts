/** CUSTOM policies whose authorizer cannot be asked: nobody defines it, or knows its service. What they match is refused (AP-120, EA-30). */
import type { AuthorizationPolicy } from "../api/authorization-policy.ts";
import { type ExtensionProvider, isExternalAuthorizer } from "../api/extension-provider.ts";
import { quoted } from "../api/quoted.ts";
import { formatLocation, type Notice, type Resource } from "../api/resource.ts";
import { type KnownService, providerProblem, serviceOf } from "./applied-authorizers.ts";
import { meshSettingsOf, ofKind } from "./mesh-snapshot.ts";
import { serviceHost } from "./service-host.ts";

/**
 * Of a service that is none of this mesh nothing is told where there are other clusters: it may be one of theirs.
 *
 * @param resources all of the mesh
 */
export function authorizerNotices(resources: readonly Resource[]): readonly Notice[] {
  const policies = ofKind(resources, "AuthorizationPolicy").filter(
    ({ action }) => action === "CUSTOM",
  );
  if (policies.length === 0) return [];
  const { extensionProviders, rootNamespace } = meshSettingsOf(resources);
  const [config] = ofKind(resources, "MeshConfig");
  const known: KnownProviders = {
    providers: extensionProviders,
    file: config?.meta.source.file,
    services:
      ofKind(resources, "RemoteCluster").length > 0
        ? "elsewhere too"
        : resources.flatMap(servicesOf),
    owners: { rootNamespace, serviceEntries: ofKind(resources, "ServiceEntry") },
  };
  return policies.flatMap((policy) => noticeOn(policy, known) ?? []);
}

interface KnownProviders {
  readonly providers: readonly ExtensionProvider[];
  /** Of the mesh configuration, if there is one. */
  readonly file: string | undefined;
  readonly services: readonly KnownService[] | "elsewhere too";
  readonly owners: Parameters<typeof serviceOf>[2];
}

function noticeOn(policy: AuthorizationPolicy, known: KnownProviders): Notice | undefined {
  const { meta, provider: name = "", providerLine: line = meta.source.line } = policy;
  const provider = known.providers.find((one) => one.name === name);
  const problem = providerProblem(name, provider);
  const found =
    problem === undefined ? unknownService(provider, known) : `${problem} (${definedIn(known)})`;
  if (found === undefined) return undefined;
  const consequence = policy.dryRun ? "would be refused" : "is refused";
  const message = `names the authorizer ${quoted(name)}${placeOf(provider, known)}, and ${found}: what this policy matches ${consequence}`;
  return { source: { ...meta.source, line }, path: "spec.provider.name", message };
}

function unknownService(
  provider: ExtensionProvider | undefined,
  { services, owners }: KnownProviders,
): string | undefined {
  if (services === "elsewhere too" || provider === undefined) return undefined;
  if (!isExternalAuthorizer(provider)) return undefined;
  const found = serviceOf(provider, services, owners);
  return typeof found === "string" ? found : undefined;
}

function definedIn(known: KnownProviders): string {
  const defined = known.providers.filter(isExternalAuthorizer);
  if (defined.length === 0) return "no authorizer is defined";
  return `defined are: ${defined.map((one) => `${one.name}${placeOf(one, known)}`).join(", ")}`;
}

function placeOf(provider: ExtensionProvider | undefined, { file }: KnownProviders): string {
  const line = provider !== undefined && "line" in provider ? provider.line : undefined;
  return file === undefined || line === undefined ? "" : ` (${formatLocation({ file, line })})`;
}

function servicesOf(resource: Resource): readonly KnownService[] {
  const { namespace: serviceNamespace } = resource.meta;
  if (resource.kind === "Service") {
    const host = serviceHost(resource.meta);
    return resource.ports.map(({ port }) => ({ host, serviceNamespace, servicePort: port }));
  }
  if (resource.kind !== "ServiceEntry") return [];
  return resource.hosts.flatMap((host) =>
    resource.ports.map(({ number }) => ({ host, serviceNamespace, servicePort: number })),
  );
}
