/** What chains are given to judge by; the texts are `test/goldens/envoy/*.yaml`, `UPDATE_GOLDEN=1` writes them anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { inboundPort, policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { AuthorizationRule } from "../api/authorization-policy.ts";
import { yamlText } from "../api/yaml-text.ts";
import type { AppliedPolicy, WorkloadView } from "../policy/workload-view.ts";
import { encodeResource } from "../wire/envoy/encode-resource.ts";
import { discoveredAuthorization, inlinedAuthorization } from "./authorization-filters.ts";
import { typeUrl } from "./envoy-json.ts";
import type { ChainAuthorization, JudgedChain } from "./inbound/judged-chain.ts";
import type { ProxySettings } from "./proxy-settings.ts";

const CAPTURED: ProxySettings = {
  version: "1.40.0",
  capture: { inboundPort: 15_006, outboundPort: 15_001 },
};
const MESH: JudgedChain = { name: "inbound|8080||", level: "http", transport: "mesh-tls" };

const RULES: readonly Partial<AuthorizationRule>[] = [
  {
    from: [{ principals: ["cluster.local/ns/shop/sa/web"] }, { namespaces: ["ops"] }],
    to: [{ methods: ["GET"], paths: ["/orders", "/orders/{*}"], ports: ["8080"] }],
  },
  {
    from: [{ serviceAccounts: ["shop/batch"], notIpBlocks: ["10.0.0.0/8"] }],
    when: [{ key: "request.headers[x-tenant]", values: ["blue"], notValues: [] }],
  },
  { from: [{ requestPrincipals: ["https://issuer/*"] }], to: [{ hosts: ["api.shop", "*"] }] },
];
const FORBIDDEN: readonly Partial<AuthorizationRule>[] = [
  { when: [{ key: "request.headers[x-role]", values: ["guest"], notValues: [] }] },
  { to: [{ paths: ["*/admin"], notPaths: ["/public/{**}"] }] },
];
const POLICIES = [policy("DENY", "forbidden", ...FORBIDDEN), policy("ALLOW", "readers", ...RULES)];

function viewOf(policies: readonly AppliedPolicy[]): WorkloadView {
  return workloadView({
    rootsPem: [],
    policies,
    ports: [inboundPort({ listen: 7080, application: 7081 })],
  });
}

const GOLDENS: readonly [name: string, chain: JudgedChain, settings?: Partial<ProxySettings>][] = [
  ["asked-in-turn", MESH],
  ["found-by-an-index", MESH, { linearUpTo: 0 }],
  ["plaintext", { ...MESH, transport: "plaintext" }],
  ["connections", { ...MESH, level: "tcp" }],
  ["older-envoy", MESH, { version: "1.39.2" }],
];
for (const [name, chain, settings] of GOLDENS) {
  test(`policies as they are served: ${name}`, () => {
    const authorize = discoveredAuthorization(viewOf(POLICIES), { ...CAPTURED, ...settings });
    assertGolden(name, authorize(chain));
  });
}

test("policies as they are told to people: Istio's filters, rules inside", () => {
  const { filters, extensionConfigs } = inlinedAuthorization(viewOf(POLICIES))(MESH);
  assert.deepEqual(extensionConfigs, []);
  assertGolden("inlined", filters);
});

function assertGolden(name: string, told: object): void {
  const file = `test/goldens/envoy/authorization-${name}.yaml`;
  const text = yamlText(told);
  if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
}

const served = (
  policies: readonly AppliedPolicy[],
  { chain = MESH, settings = CAPTURED }: { chain?: JudgedChain; settings?: ProxySettings } = {},
): ChainAuthorization => discoveredAuthorization(viewOf(policies), settings)(chain);

test("whatever is not there yet is denied: the default of every filter that is asked for has no rule", () => {
  const all = [...POLICIES, policy("AUDIT", "noted", {})];
  for (const level of ["http", "tcp"] as const) {
    const { filters } = served(all, { chain: { ...MESH, level } });
    assert.equal(filters.length, 2);
    for (const { configDiscovery, typedConfig } of filters) {
      assert.equal(typedConfig, undefined);
      const { defaultConfig, applyDefaultConfigWithoutWarming } = Object(configDiscovery);
      assert.deepEqual(defaultConfig.rules, {});
      assert.equal(applyDefaultConfigWithoutWarming, false);
    }
  }
});

test("what decides keeps its name, so that live connections obey the change: no policy, one, many", () => {
  const names = [[], POLICIES, POLICIES.slice(1)].map((policies) =>
    served(policies).extensionConfigs.map(({ name }) => name),
  );
  for (const one of names) assert.deepEqual(one, ["authorization/http/mesh"]);
});

test("AP-110, AP-9: what is on trial and AUDIT stand beside what decides, and never decide", () => {
  const trial = { ...policy("DENY", "trial", {}), dryRun: true } as const;
  const { extensionConfigs } = served([...POLICIES, trial, policy("AUDIT", "noted", {})]);
  const [audit, deny, decides] = extensionConfigs;
  assert.equal(extensionConfigs.length, 3);
  assert.equal(audit?.typedConfig.rules?.action, "LOG");
  assert.equal(deny?.typedConfig.rules, undefined);
  assert.equal(deny?.typedConfig["shadowRulesStatPrefix"], "istio_dry_run_deny_");
  assert.deepEqual(decides, served(POLICIES).extensionConfigs[0]);
});

test("AP-56: on loopback the container's port is the one that the proxy listens on", () => {
  const onPort = (port: string): AppliedPolicy =>
    policy("ALLOW", "port", { to: [{ ports: [port] }] });
  const { capture: _, ...loopback } = CAPTURED;
  const asked = (port: string, settings: ProxySettings): string =>
    JSON.stringify(served([onPort(port)], { settings }).extensionConfigs);
  assert.match(asked("8080", loopback), /"exact":"7080"/);
  assert.doesNotMatch(asked("9090", loopback), /DestinationPortInput/);
  assert.match(asked("9090", CAPTURED), /"exact":"9090"/);
});

test("a fingerprint is another one exactly when what decides is", () => {
  const [none, some, same] = [served([]), served(POLICIES), served([...POLICIES])];
  assert.notEqual(none.fingerprint, some.fingerprint);
  assert.equal(some.fingerprint, same.fingerprint);
});

test("the same objects in, the same objects out, for all chains and proxies", () => {
  const view = viewOf(POLICIES);
  const [one, other] = [1, 2].map(() => discoveredAuthorization(view, CAPTURED)(MESH));
  assert.equal(one, other);
});

test("all of it can be sent: tokens and claims, too", () => {
  const claims = policy("DENY", "claims", {
    from: [{ notRequestPrincipals: ["https://issuer/*"] }],
    when: [{ key: "request.auth.claims[groups][of]", values: ["a", "b*"], notValues: ["c"] }],
  });
  for (const [, chain, settings] of GOLDENS) {
    const authorize = discoveredAuthorization(viewOf([...POLICIES, claims]), {
      ...CAPTURED,
      ...settings,
    });
    for (const json of authorize(chain).extensionConfigs) {
      const type = typeUrl("envoy.config.core.v3.TypedExtensionConfig");
      assert.equal(encodeResource(type, { name: json.name, json }).name, json.name);
    }
  }
});
