/** What our callee's view says of the same steps. */
import { STANDARD_LOCATIONS } from "../../../src/api/request-authentication.ts";
import type { AppliedRateLimit } from "../../../src/policy/applied-rate-limits.ts";
import type { AppliedTokenRule } from "../../../src/policy/workload-view.ts";
import { destination, policy } from "../../kit/sidecar-fixture.ts";
import type { ChangeView } from "../sidecar/hauberk-side.ts";
import { ISSUER } from "./bench-tokens.ts";

const SOURCE = { file: "bench.yaml", line: 1 };

export const knowingUsers: ChangeView = async (view, { tokens }) => {
  const rule: AppliedTokenRule = {
    ref: { kind: "RequestAuthentication", namespace: "production", name: "users" },
    source: SOURCE,
    issuer: ISSUER,
    audiences: [],
    jwks: (await tokens()).jwks,
    locations: STANDARD_LOCATIONS,
    presence: "OPTIONAL",
    afterwards: "forwarded",
    outputClaimToHeaders: [],
    spaceDelimitedClaims: [],
  };
  return { ...view, inbound: { ...view.inbound, tokenRules: [rule] } };
};

export const limited: ChangeView = async (view) => {
  const limit: AppliedRateLimit = {
    ref: { kind: "RateLimit", namespace: "production", name: "api" },
    source: SOURCE,
    name: "all",
    match: [],
    counts: "requests",
    amount: 1_000_000,
    perMs: 1_000,
    burst: 1_000_000,
    key: [],
    fair: false,
    scope: "Local",
    mode: "Enforce",
    whenUnavailable: "Local",
    headers: "WhenRefused",
  };
  return { ...view, inbound: { ...view.inbound, rateLimits: [limit] } };
};

const AUTHORIZER = "authorizer";

/** Every request is asked about, as Envoy's filter does. */
export const askingAuthorizer: ChangeView = async (view, { authorizer }) => {
  const { port } = await authorizer();
  const called = destination({ name: AUTHORIZER, port, protocol: "http2", mutualTls: false });
  const asked = {
    name: AUTHORIZER,
    kind: "grpc",
    host: called.host,
    port: called.servicePort,
    namespace: called.serviceNamespace,
    timeoutMs: 10_000,
    failOpen: false,
    statusOnError: 403,
    clearRouteCache: false,
  } as const;
  const custom = { ...policy("CUSTOM", "ask", {}), provider: AUTHORIZER };
  const { inbound, outbound } = view;
  return {
    ...view,
    inbound: {
      ...inbound,
      authorization: { ...inbound.authorization, custom: [custom] },
      authorizers: [asked],
    },
    outbound: { ...outbound, destinations: [...outbound.destinations, called] },
  };
};
