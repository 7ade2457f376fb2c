import assert from "node:assert/strict";
import { test } from "node:test";
import { inboundPort, policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { type ProxyRefusal, refusedResources } from "./refused-resources.ts";

const STRICT = { kind: "PeerAuthentication", namespace: "istio-system", name: "strict" };
const port = {
  ...inboundPort({ listen: 1, application: 2 }),
  mutualTls: {
    mode: "STRICT",
    origin: { ref: STRICT, source: { file: "a.yaml", line: 1 } },
  },
} as const;
const view = workloadView({
  rootsPem: [],
  ports: [port],
  policies: [policy("ALLOW", "readers", {}), policy("DENY", "nobody", {})],
});

function told(refusals: readonly ProxyRefusal[], of: WorkloadView | undefined = view): string[] {
  return refusedResources(refusals, () => of).map(
    ({ ref, message }) => `${ref.kind} ${ref.namespace}/${ref.name}: ${message}`,
  );
}

const refusal = (what: string, error = "no", pod = "production/api-0"): ProxyRefusal => ({
  pod,
  what,
  error,
});
const WHY = "not in force in all proxies";

test("what Envoy refuses is told of what goes into it", () => {
  assert.deepEqual(told([refusal("authorization")]), [
    `AuthorizationPolicy production/nobody: ${WHY}: Envoys of production/api-0 refuse their authorization: no`,
    `AuthorizationPolicy production/readers: ${WHY}: Envoys of production/api-0 refuse their authorization: no`,
    `Pod production/api-0: ${WHY}: Envoys of production/api-0 refuse their authorization: no`,
  ]);
  assert.deepEqual(told([refusal("listeners")]), [
    `PeerAuthentication istio-system/strict: ${WHY}: Envoys of production/api-0 refuse their listeners: no`,
    `Pod production/api-0: ${WHY}: Envoys of production/api-0 refuse their listeners: no`,
  ]);
  assert.equal(told([refusal("routes")]).length, 1);
});

test("a policy that Envoy names is told alone", () => {
  const error = "bad rule ns[production]-policy[nobody]-rule[0]";
  assert.deepEqual(
    told([refusal("authorization", error)]).map((one) => one.split(":")[0]),
    ["AuthorizationPolicy production/nobody", "Pod production/api-0"],
  );
});

test("what our own sidecar refuses concerns all of its view", () => {
  assert.equal(told([refusal("view")]).length, 4);
});

test("of many proxies a few are named, and an error is cut", () => {
  const pods = Array.from({ length: 1_000 }, (_, index) => `a/p-${index + 1_000}`);
  const all = told(pods.map((pod) => refusal("listeners", "x".repeat(10_000), pod)));
  assert.ok(all.length <= 1 + 64);
  const first = all.find((one) => one.startsWith("PeerAuthentication")) ?? "";
  assert.match(
    first,
    /Envoys of a\/p-1000, .*, a\/p-1004 and 995 more refuse their listeners: x+$/,
  );
  assert.ok(first.length < 1_000);
});

test("of a pod that is gone nothing is told", () => {
  assert.deepEqual(
    refusedResources([refusal("listeners")], () => undefined),
    [],
  );
});

test("an error of several lines is told in one", () => {
  assert.match(told([refusal("listeners", "a\n b\n")])[0] ?? "", /listeners: a; b$/);
});
