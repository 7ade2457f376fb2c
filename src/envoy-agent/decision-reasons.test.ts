import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf, policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { Decision } from "../policy/decision.ts";
import type { GatewayTls, GatewayView } from "../policy/gateway-view.ts";
import type { AppliedPolicy, WorkloadView } from "../policy/workload-view.ts";
import { type CapturedAddresses, decidedCall } from "./decided-call.ts";

type Told = Readonly<Record<string, unknown>>;

const REQUEST: Told = {
  start_time: "2026-11-23T10:00:00.000Z",
  reporter: "destination",
  protocol: "HTTP/1.1",
  method: "GET",
  path: "/orders",
  authority: "api:8080",
  response_code: 200,
  response_flags: "-",
  response_code_details: "via_upstream",
  upstream_host: "127.0.0.1:8080",
  downstream_local_address: "127.0.0.1:15006",
  downstream_remote_address: "127.0.0.1:40000",
  remote_address: "127.0.0.1",
  source_principal: idOf("frontend"),
};
const REFUSED: Told = { ...REQUEST, upstream_host: null };

function decisionOn(
  told: Told,
  view: WorkloadView,
  capture?: CapturedAddresses,
): Decision | null | undefined {
  return decidedCall(JSON.stringify(told), view, capture)?.decision;
}

function viewWith(...policies: readonly AppliedPolicy[]): WorkloadView {
  return workloadView({ rootsPem: [], policies });
}

const FROM_FRONTEND = { principals: ["cluster.local/ns/production/sa/frontend"] };
const header = (name: string) => ({
  key: `request.headers[${name}]`,
  values: ["1"],
  notValues: [],
});
const custom = (name: string, provider: string, ...rules: Parameters<typeof policy>[2][]) => ({
  ...policy("CUSTOM", name, ...rules),
  provider,
});

/** Rule 1 of `told` matches; what asks for a header may match or not. */
const AUTHORIZERS: readonly {
  readonly what: string;
  readonly policies: readonly AppliedPolicy[];
  /** Undefined: nobody is named. */
  readonly named: { readonly provider: string; readonly rule: number } | undefined;
}[] = [
  {
    what: "the only one that is asked, where all is told",
    policies: [
      custom("far", "first", { to: [{ paths: ["/far"] }] }),
      custom("told", "second", { to: [{ paths: ["/x"] }] }, { to: [{ paths: ["/orders"] }] }),
    ],
    named: { provider: "second", rule: 1 },
  },
  {
    what: "nobody, where a header may have made another be asked",
    policies: [
      custom("told", "second", {}),
      custom("versioned", "first", { when: [header("x-version")] }),
    ],
    named: undefined,
  },
  {
    what: "a policy alone, where what asks for a header comes behind",
    policies: [custom("both", "first", {}, { when: [header("x-version")] })],
    named: { provider: "first", rule: 0 },
  },
  {
    what: "no rule of a policy alone, where one before it asks for a header",
    policies: [custom("both", "first", { when: [header("x-version")] }, {})],
    named: undefined,
  },
  {
    what: "the one rule of a policy alone, whatever it asks for",
    policies: [
      custom("versioned", "first", { when: [header("x-version")] }),
      { ...custom("tried", "second", {}), dryRun: true },
    ],
    named: { provider: "first", rule: 0 },
  },
];

for (const { what, policies, named } of AUTHORIZERS) {
  test(`as the authorizer that refused (EA-27): ${what}`, () => {
    const told = { ...REFUSED, response_code: 403, response_code_details: "ext_authz_denied" };
    const reason = decisionOn(told, viewWith(...policies))?.reason;
    if (named === undefined)
      return assert.deepEqual(reason, { because: "told-by-envoy", details: "ext_authz_denied" });
    assert.ok(reason?.because === "authorizer-denied");
    assert.deepEqual({ provider: reason.provider, rule: reason.matched.rule }, named);
  });
}

const versioned = (name: string): AppliedPolicy =>
  policy("ALLOW", name, { to: [{ methods: ["GET"] }], when: [header("x-version")] });
/** One demand is unmet, as of what wants nothing but a header. */
const near = (name: string): AppliedPolicy =>
  policy("ALLOW", name, { to: [{ methods: ["PUT"], paths: ["/orders"] }], from: [FROM_FRONTEND] });

const ALLOWING: readonly {
  readonly what: string;
  readonly policies: readonly AppliedPolicy[];
  readonly named: string | undefined;
}[] = [
  {
    what: "of many the one that alone asks for a header, though others came nearer",
    policies: [
      ...["a", "b", "c", "d"].map(near),
      policy("ALLOW", "wanted", { when: [header("x-version"), header("x-other")] }),
    ],
    named: "wanted",
  },
  {
    what: "not the one that alone asks for a header where something else kept it from matching",
    policies: [
      policy("ALLOW", "elsewhere", { to: [{ paths: ["/x"] }], when: [header("x-version")] }),
    ],
    named: undefined,
  },
  {
    what: "of three the one that wants nothing but a header",
    policies: [
      versioned("wanted"),
      policy("ALLOW", "other", { to: [{ methods: ["PUT"] }], when: [header("x-version")] }),
      near("told"),
    ],
    named: "wanted",
  },
  {
    what: "none of more than are told as the nearest",
    policies: [
      versioned("one"),
      ...["a", "b"].map(near),
      policy("ALLOW", "hidden", { when: [header("x-version"), header("x-other")] }),
    ],
    named: undefined,
  },
  {
    what: "none where another has an alternative that is not told",
    policies: [
      versioned("one"),
      policy("ALLOW", "either", {
        from: [
          { ipBlocks: ["10.0.0.0/8"], namespaces: ["production"] },
          { requestPrincipals: ["*"] },
        ],
      }),
    ],
    named: undefined,
  },
];

for (const { what, policies, named } of ALLOWING) {
  test(`as the rule that let a call through: ${what}`, () => {
    const reason = decisionOn(REQUEST, viewWith(...policies))?.reason;
    if (named === undefined) return assert.equal(reason?.because, "told-by-envoy");
    assert.ok(reason?.because === "matched-allow");
    assert.equal(reason.matched.policy.name, named);
  });
}

const POD: CapturedAddresses = { podAddresses: { ipv4: "10.244.0.5", ipv6: "fd00:10:244::5" } };
const AT_GATEWAY: Told = {
  ...REQUEST,
  reporter: "source",
  client_principal: idOf("frontend"),
  upstream_host: "10.244.0.9:8080",
  downstream_local_address: "10.244.0.5:8443",
};
const POLICIES = [{ kind: "NetworkPolicy", namespace: "production", name: "few" }];

function gatewayOf({
  mode,
  admits,
}: {
  readonly mode: GatewayTls["mode"];
  readonly admits?: readonly string[];
}): WorkloadView {
  const tls: GatewayTls = {
    mode,
    certificates: [],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: [],
    ecdhCurves: [],
  };
  const gateway: GatewayView = {
    listeners: [
      {
        port: 443,
        containerPort: 8443,
        listen: { address: "10.244.0.5", port: 8443 },
        ...(admits && {
          admission: { policies: POLICIES, identities: admits.map(parseSpiffeId), anyone: false },
        }),
        servers: [
          { origins: [], serverNames: ["*"], tls, traffic: { is: "http", virtualHosts: [] } },
        ],
      },
    ],
  };
  const mutualTls = { mode: "STRICT", origin: "default" } as const;
  return {
    ...viewWith(near("told")),
    gateway,
    interception: {
      undeclaredPorts: { mutualTls, ports: [] },
      unknownDestinations: "ALLOW_ANY",
    },
  };
}

test("a connection that none of a gateway's servers is for is told as that, whatever modes its pod has", () => {
  for (const requested_server_name of [null, "other.example"]) {
    const told = {
      ...AT_GATEWAY,
      method: null,
      response_code: 0,
      response_flags: "NR",
      response_code_details: "filter_chain_not_found",
      upstream_host: null,
      requested_server_name,
    };
    assert.deepEqual(decisionOn(told, gatewayOf({ mode: "SIMPLE" }), POD), {
      verdict: "deny",
      reason: {
        because: "peer-not-verified",
        problem: "no server of the gateway is for such a connection",
      },
    });
  }
});

const KEPT_OUT: readonly {
  readonly what: string;
  readonly view: WorkloadView;
  readonly because: string;
}[] = [
  {
    what: "whom no NetworkPolicy lets in",
    view: gatewayOf({ mode: "ISTIO_MUTUAL", admits: [idOf("other")] }),
    because: "network-policy",
  },
  {
    what: "who is let in, and by no rule",
    view: gatewayOf({ mode: "ISTIO_MUTUAL", admits: [idOf("frontend")] }),
    because: "no-allow-matched",
  },
  {
    what: "who has such a name in a certificate of others",
    view: gatewayOf({ mode: "MUTUAL", admits: [idOf("frontend")] }),
    because: "network-policy",
  },
];

for (const { what, view, because } of KEPT_OUT) {
  test(`at a gateway is refused ${what}`, () => {
    const told = {
      ...AT_GATEWAY,
      upstream_host: null,
      connection_termination_details: "rbac_access_denied_matched_policy[none]",
      response_code_details: null,
    };
    assert.equal(decisionOn(told, view, POD)?.reason.because, because);
  });
}

test("what a gateway takes is judged; what its pod calls at the same port of another is not", () => {
  const view = { ...gatewayOf({ mode: "SIMPLE" }), inbound: viewWith().inbound };
  const decided = (address: string): Decision | null | undefined =>
    decisionOn({ ...AT_GATEWAY, downstream_local_address: address }, view, POD);
  for (const own of ["10.244.0.5:8443", "[fd00:10:244::5]:8443"])
    assert.equal(decided(own)?.verdict, "allow", own);
  for (const other of ["10.96.0.7:8443", "[fd00:10:96::7]:8443", "10.244.0.5:9999"])
    assert.equal(decided(other), null, other);
});
