/** The external authorizers that the CUSTOM policies of one workload name, and how they are asked (EA-1..EA-15, AP-120). */
import {
  type ExtensionProvider,
  type ExternalAuthorizer,
  isExternalAuthorizer,
  type RequestBodyInCheck,
} from "../api/extension-provider.ts";
import type { ServiceEntry } from "../api/service-entry.ts";
import type { Destination, EffectiveAuthorization } from "./workload-view.ts";

export type AppliedAuthorizer = UnusableAuthorizer | UsableAuthorizer;

/** One that cannot be asked: what it guards is refused, also where it is defined with `failOpen` (EA-30). */
export interface UnusableAuthorizer {
  readonly name: string;
  readonly kind: "unusable";
  readonly problem: string;
}

export type UsableAuthorizer = AppliedGrpcAuthorizer | AppliedHttpAuthorizer;

interface Usable {
  readonly name: string;
  /** Of a service of the view. */
  readonly host: string;
  readonly port: number;
  readonly namespace: string;
  readonly timeoutMs: number;
  readonly failOpen: boolean;
  readonly statusOnError: number;
  readonly clearRouteCache: boolean;
  /** Absent: the body is not sent. */
  readonly requestBody?: RequestBodyInCheck;
}

export interface AppliedGrpcAuthorizer extends Usable {
  readonly kind: "grpc";
}

/** As of `HttpAuthorizer`. */
export interface AppliedHttpAuthorizer extends Usable {
  readonly kind: "http";
  readonly pathPrefix: string;
  readonly requestHeaders: readonly string[];
  readonly additionalHeaders: Readonly<Record<string, string>>;
  readonly headersToUpstreamOnAllow: readonly string[];
  readonly headersToDownstreamOnDeny: readonly string[];
  readonly headersToDownstreamOnAllow: readonly string[];
}

export interface AuthorizerSources extends ServiceOwners {
  /** Of the mesh configuration. */
  readonly providers: readonly ExtensionProvider[];
  /** Of the workload that asks. */
  readonly destinations: readonly Destination[];
}

/** Who has a word in what a host of the mesh configuration means. */
export interface ServiceOwners {
  readonly rootNamespace: string;
  /** All of the mesh, whoever they are for. */
  readonly serviceEntries: readonly Pick<ServiceEntry, "meta" | "hosts">[];
}

/** @returns by name, in the order in which they are asked (AP-122) */
export function appliedAuthorizers(
  { custom }: Pick<EffectiveAuthorization, "custom">,
  sources: AuthorizerSources,
): readonly AppliedAuthorizer[] {
  const names = new Set(custom.map(({ provider = "" }) => provider));
  return [...names].sort().map((name) => appliedAuthorizer(name, sources));
}

function appliedAuthorizer(
  name: string,
  { providers, destinations, ...owners }: AuthorizerSources,
): AppliedAuthorizer {
  const provider = providers.find((one) => one.name === name);
  const problem = providerProblem(name, provider);
  if (problem !== undefined) return { name, kind: "unusable", problem };
  if (provider === undefined || !isExternalAuthorizer(provider)) throw new TypeError(name);
  const service = serviceOf(provider, destinations, owners);
  if (typeof service === "string") return { name, kind: "unusable", problem: service };
  return { ...howItIsAsked(provider), ...service };
}

/** AP-120 @returns why nobody by this name can be asked; undefined: it is defined, and authorizes */
export function providerProblem(
  name: string,
  provider: ExtensionProvider | undefined,
): string | undefined {
  if (name === "") return "the policy names none of extensionProviders";
  if (provider === undefined)
    return "extensionProviders of the mesh configuration does not define it";
  if (isExternalAuthorizer(provider)) return undefined;
  return `it is of kind ${provider.kind}, which authorizes nothing`;
}

type FoundService = Pick<Usable, "host" | "namespace">;

export type KnownService = Pick<Destination, "host" | "serviceNamespace" | "servicePort">;

/**
 * EA-1. Whom the mesh configuration means is no matter of a workload's own namespace: a ServiceEntry there, or an older one
 * elsewhere, would put another authorizer in its place, and let pass what the mesh refuses.
 *
 * @param known to whoever asks
 * @returns a problem where it cannot be told which service is meant, or another one is known by its name
 */
export function serviceOf(
  { service, port }: Pick<ExternalAuthorizer, "service" | "port">,
  known: readonly KnownService[],
  owners: ServiceOwners,
): FoundService | string {
  const slash = service.indexOf("/");
  const host = service.slice(slash + 1);
  const alike = known.filter((one) => one.host === host);
  const namespaces = slash < 0 ? ownersOf(host, owners) : [service.slice(0, slash)];
  const isNone = `its service ${service} is none of the mesh`;
  if (alike.length === 0) return isNone;
  if (namespaces.length > 1)
    return `its service ${service} is in several namespaces (${namespaces.join(", ")}), and it says not which`;
  const [namespace = ""] = namespaces;
  const meant = alike.filter(({ serviceNamespace }) => serviceNamespace === namespace);
  if (meant.length === 0 && slash >= 0) return isNone;
  if (meant.length === 0) {
    const others = [...new Set(alike.map(({ serviceNamespace }) => serviceNamespace))].join(", ");
    return `its service ${host} is that of namespace ${namespace}, and a ServiceEntry of namespace ${others} has its name here`;
  }
  const hasPort = meant.some(({ servicePort }) => servicePort === port);
  const ports = [...new Set(meant.map(({ servicePort }) => servicePort))];
  if (!hasPort) return `its service ${service} has no port ${port} (it has ${ports.join(", ")})`;
  return { host, namespace };
}

/** `NAME.NAMESPACE.svc.cluster.local` */
const SERVICE_HOST = /^[^.]+\.([^.]+)\.svc\.cluster\.local$/;

/** The namespaces that may be meant by a host alone: of a service its own; of other hosts the root namespace, or whoever defines them. */
function ownersOf(
  host: string,
  { rootNamespace, serviceEntries }: ServiceOwners,
): readonly string[] {
  const [, ofService] = SERVICE_HOST.exec(host) ?? [];
  if (ofService !== undefined) return [ofService];
  const entries = serviceEntries.filter(({ hosts }) => hosts.includes(host));
  const namespaces = [...new Set(entries.map(({ meta }) => meta.namespace))].sort();
  return namespaces.includes(rootNamespace) ? [rootNamespace] : namespaces;
}

/** Timers count no further: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type HowItIsAsked =
  | Omit<AppliedGrpcAuthorizer, keyof FoundService>
  | Omit<AppliedHttpAuthorizer, keyof FoundService>;

function howItIsAsked(provider: ExternalAuthorizer): HowItIsAsked {
  const { name, port, timeoutMs, failOpen, statusOnError, clearRouteCache, requestBody } = provider;
  const shared = {
    name,
    port,
    timeoutMs: Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil(timeoutMs))),
    failOpen,
    statusOnError,
    clearRouteCache,
    ...(requestBody && { requestBody }),
  };
  if (provider.kind === "envoyExtAuthzGrpc") return { ...shared, kind: "grpc" };
  return {
    ...shared,
    kind: "http",
    pathPrefix: provider.pathPrefix,
    requestHeaders: provider.requestHeaders,
    additionalHeaders: provider.additionalHeaders,
    headersToUpstreamOnAllow: provider.headersToUpstreamOnAllow,
    headersToDownstreamOnDeny: provider.headersToDownstreamOnDeny,
    headersToDownstreamOnAllow: provider.headersToDownstreamOnAllow,
  };
}
