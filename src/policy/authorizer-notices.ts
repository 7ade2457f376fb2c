/** CUSTOM policies whose authorizer is defined, and whose service nobody knows: what they match is refused (EA-30). */
import type { AuthorizationPolicy } from "../api/authorization-policy.ts";
import { isExternalAuthorizer } from "../api/extension-provider.ts";
import { quoted } from "../api/quoted.ts";
import type { Notice, Resource } from "../api/resource.ts";
import { type KnownService, serviceOf } from "./applied-authorizers.ts";
import { meshSettingsOf } from "./mesh-snapshot.ts";
import { serviceHost } from "./service-host.ts";

/** @param resources all of the mesh */
export function authorizerNotices(resources: readonly Resource[]): readonly Notice[] {
  const { extensionProviders } = meshSettingsOf(resources);
  const authorizers = extensionProviders.filter(isExternalAuthorizer);
  if (authorizers.length === 0) return [];
  const services = resources.flatMap(servicesOf);
  return resources.flatMap((resource): readonly Notice[] => {
    if (resource.kind !== "AuthorizationPolicy" || resource.action !== "CUSTOM") return [];
    const provider = authorizers.find(({ name }) => name === resource.provider);
    const found = provider && serviceOf(provider, services);
    if (provider === undefined || typeof found !== "string") return [];
    const message = `names the authorizer ${quoted(provider.name)}, and ${found}: what this policy matches ${consequenceOf(resource)}`;
    return [{ source: resource.meta.source, path: "spec.provider.name", message }];
  });
}

/** A policy on trial refuses nobody. */
export function consequenceOf({ dryRun }: Pick<AuthorizationPolicy, "dryRun">): string {
  return dryRun ? "would be refused" : "is refused";
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
