/** Whom CUSTOM policies ask: one over HTTP, one over gRPC, and one that is not there. */
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { AppliedAuthorizer } from "../../src/policy/applied-authorizers.ts";
import type { Destination } from "../../src/policy/workload-view.ts";
import type { SampleAuthorizer } from "../kit/sample-authorizer.ts";
import { LOOPBACK } from "../kit/sidecar-fixture.ts";
import type { PolicySet } from "./question.ts";

/** The field that both go by. */
export const CHECKED = "x-ext-authz";

type AuthorizerKind = AppliedAuthorizer["kind"];

/** By the name of the provider; any other is not there. */
const KINDS: ReadonlyMap<string, AuthorizerKind> = new Map([
  ["opa", "http"],
  ["opa-2", "grpc"],
]);
const NAMESPACE = "production";
const PORT = 8080;
const TIMEOUT_MS = 10_000;

export function authorizerKind(provider: string): AuthorizerKind {
  return KINDS.get(provider) ?? "unusable";
}

/** @returns by name, as views carry them; undefined: nobody is asked */
export function authorizersOf({ policies }: PolicySet): readonly AppliedAuthorizer[] | undefined {
  const names = new Set(policies.custom.map(({ provider = "" }) => provider));
  return names.size === 0 ? undefined : [...names].sort().map(authorizerNamed);
}

function authorizerNamed(name: string): AppliedAuthorizer {
  const kind = authorizerKind(name);
  if (kind === "unusable") return { name, kind, problem: "there is no such provider" };
  const common = {
    name,
    host: hostOf(name),
    port: PORT,
    namespace: NAMESPACE,
    timeoutMs: TIMEOUT_MS,
    failOpen: false,
    statusOnError: 403,
    clearRouteCache: false,
  };
  if (kind === "grpc") return { ...common, kind };
  return {
    ...common,
    kind,
    pathPrefix: "",
    requestHeaders: [CHECKED],
    additionalHeaders: {},
    headersToUpstreamOnAllow: [],
    headersToDownstreamOnDeny: [],
    headersToDownstreamOnAllow: [],
  };
}

function hostOf(name: string): string {
  return `${name}.${NAMESPACE}.svc.cluster.local`;
}

/** The services behind which they are. */
export function authorizerDestinations(
  set: PolicySet,
  { ports }: Pick<SampleAuthorizer, "ports">,
): readonly Destination[] {
  return (authorizersOf(set) ?? []).flatMap(({ name, kind }) => {
    if (kind === "unusable") return [];
    const address = { address: LOOPBACK, port: ports[kind] };
    return [
      {
        serviceNamespace: NAMESPACE,
        serviceName: name,
        host: hostOf(name),
        servicePort: PORT,
        protocol: kind === "grpc" ? "http2" : "http",
        identities: [parseSpiffeId(`spiffe://${set.trust.trustDomain}/ns/${NAMESPACE}/sa/${name}`)],
        serverName: `outbound_.${PORT}_._.${hostOf(name)}`,
        endpoints: [{ workload: `${name}-0`, address, mutualTls: false }],
      } satisfies Destination,
    ];
  });
}

interface Asked {
  readonly provider: string;
  /** Of the caller's certificate; undefined: none. */
  readonly principal: string | undefined;
  /** Of a request; undefined: it is about a connection. */
  readonly header: ((name: string) => string | undefined) | undefined;
}

/** As `sampleAuthorizer` answers; who is asked by HTTP cannot be asked of connections (AP-65), and who is not there not at all (AP-120). */
export function letsPass({ provider, principal, header }: Asked): boolean {
  const kind = authorizerKind(provider);
  if (kind === "unusable" || (kind === "http" && header === undefined)) return false;
  const said = header?.(CHECKED);
  if (kind === "grpc" && said === undefined) return principal?.endsWith("/sa/a") === true;
  return said === "allow";
}
