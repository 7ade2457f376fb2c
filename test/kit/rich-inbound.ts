/** A view whose inbound side has everything that a proxy can be told of at once: for those who write it down. */
import { STANDARD_LOCATIONS } from "../../src/api/request-authentication.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { AppliedAuthorizer } from "../../src/policy/applied-authorizers.ts";
import type { AppliedRateLimit } from "../../src/policy/applied-rate-limits.ts";
import type {
  AppliedTokenRule,
  EffectiveTelemetry,
  InboundPort,
  WorkloadView,
} from "../../src/policy/workload-view.ts";
import { custom, grpc, http } from "./authorizer-stage.ts";
import { destination, idOf, policy, workloadView } from "./sidecar-fixture.ts";

const MODES = ["STRICT", "PERMISSIVE", "DISABLE"] as const;
const PROTOCOLS = ["http", "http2", "tcp", "auto"] as const;
const SOURCE = { file: "resources.yaml", line: 1 };

function ref(kind: string): AppliedTokenRule["ref"] {
  return { kind, namespace: "production", name: "everything" };
}

/** @param listens a port for each of the twelve kinds of ports; by default from 17000 */
export function richInbound(listens: readonly number[] = []): WorkloadView {
  const view = workloadView({
    rootsPem: ["root"],
    ports: ports(listens),
    policies: [
      policy("AUDIT", "audited", { to: [{ methods: ["POST"] }] }),
      policy("DENY", "denied", { to: [{ paths: ["/admin/*"], notMethods: ["GET"] }] }),
      policy("ALLOW", "allowed", { from: [{ namespaces: ["shop"], ipBlocks: ["10.0.0.0/8"] }] }),
      custom("opa"),
      custom("web"),
      custom("nobody"),
    ],
    destinations: ["opa", "web", "otel"].map((name) =>
      destination({ name, port: 9_000, protocol: "http2", mutualTls: false }),
    ),
    tokenRules,
    rateLimits,
  });
  return {
    ...view,
    inbound: { ...view.inbound, authorizers, pathNormalization: "DECODE_AND_MERGE_SLASHES" },
    telemetry,
  };
}

function ports(listens: readonly number[]): readonly InboundPort[] {
  return MODES.flatMap((mode) => PROTOCOLS.map((protocol) => ({ mode, protocol }))).map(
    ({ mode, protocol }, index) => ({
      containerPort: 8_000 + index,
      protocol,
      mutualTls: { mode, origin: "default" },
      listen: { address: "127.0.0.1", port: listens[index] ?? 17_000 + index },
      application: { address: "127.0.0.1", port: 18_000 + index },
      ...(index === 0 && { admission }),
    }),
  );
}

const admission = {
  policies: [ref("NetworkPolicy")],
  identities: [parseSpiffeId(idOf("frontend"))],
  anyone: false,
};

const authorizers: readonly AppliedAuthorizer[] = [
  { name: "nobody", kind: "unusable", problem: "it is not defined" },
  grpc("opa", { requestBody: { maxBytes: 1_024, allowPartial: true, packAsBytes: true } }),
  http("web", {
    pathPrefix: "/check",
    requestHeaders: ["cookie", "x-a-*", "*-b"],
    additionalHeaders: { "x-b": "2", "x-a": "1" },
    headersToUpstreamOnAllow: ["x-user"],
    headersToDownstreamOnDeny: ["x-why"],
    headersToDownstreamOnAllow: ["set-cookie"],
  }),
];

const tokenRule: AppliedTokenRule = {
  ref: ref("RequestAuthentication"),
  source: SOURCE,
  issuer: "https://issuer.example",
  audiences: ["shop"],
  locations: STANDARD_LOCATIONS,
  presence: "OPTIONAL",
  afterwards: "removed",
  outputPayloadToHeader: "x-payload",
  outputClaimToHeaders: [{ header: "x-sub", claim: "sub" }],
  spaceDelimitedClaims: ["roles"],
};
const elsewhere = { headers: [{ name: "x-jwt", prefix: "" }], params: ["jwt"], cookies: ["jwt"] };
const tokenRules = [
  tokenRule,
  { ...tokenRule, locations: elsewhere, presence: "REQUIRED" as const },
];

const limit: AppliedRateLimit = {
  ref: ref("RateLimit"),
  source: SOURCE,
  name: "requests",
  match: policy("DENY", "orders", { to: [{ paths: ["/orders"] }] }).rules,
  counts: "requests",
  amount: 10,
  perMs: 60_000,
  burst: 20,
  key: [
    "source.principal",
    "request.headers[x-user]",
    "request.auth.claims[a][b]",
    "request.auth.principal",
    "destination.port",
  ],
  fair: false,
  scope: "Local",
  mode: "Enforce",
  whenUnavailable: "Local",
  headers: "Always",
};
const rateLimits: readonly AppliedRateLimit[] = [
  limit,
  { ...limit, name: "tried", mode: "Shadow" },
  { ...limit, name: "global", scope: "Global", key: ["source.principal"] },
  { ...limit, name: "strict", scope: "Global", whenUnavailable: "Deny", match: [], key: [] },
  { ...limit, name: "connections", counts: "connections", match: [], key: [] },
  { ...limit, name: "open", counts: "openConnections", perMs: 0, match: [], key: [] },
];

const telemetry: EffectiveTelemetry = {
  inbound: [
    { provider: "envoy", path: "/dev/stdout", format: { encoding: "JSON" } },
    {
      provider: "file",
      path: "/dev/null",
      format: { encoding: "TEXT", template: "%REQ_WITHOUT_QUERY(:PATH)%", omitEmpty: true },
      filter: {
        expression: "has(response.code) && response.code >= 400",
        tree: { is: "constant", type: "bool", text: "true" },
      },
      refusals: "left out",
    },
  ],
  outbound: [],
  tracing: {
    operations: [{ containerPort: 8_000, name: "api.production.svc.cluster.local:80/*" }],
    inbound: {
      collector: {
        provider: "otel",
        host: "otel.production.svc.cluster.local",
        port: 8_080,
        protocol: "grpc",
        path: "",
        timeoutMs: 5_000,
        headers: { "x-tenant": "shop" },
      },
      serviceName: "api.production",
      sampledOf10000: 125,
      sampledBy: "request id",
      propagation: "off",
      maxPathLength: 256,
      tags: [
        { name: "zone", value: "a" },
        { name: "user", header: "x-user", defaultValue: "nobody" },
        { name: "asked", template: "%REQ(:METHOD)%" },
      ],
    },
  },
};
