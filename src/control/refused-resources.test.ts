import assert from "node:assert/strict";
import { test } from "node:test";
import { destination, inboundPort, policy, workloadView } from "../../test/kit/sidecar-fixture.ts";
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
    `AuthorizationPolicy production/nobody: ${WHY}: those of production/api-0 refuse their authorization: no`,
    `AuthorizationPolicy production/readers: ${WHY}: those of production/api-0 refuse their authorization: no`,
    `Pod production/api-0: ${WHY}: those of production/api-0 refuse their authorization: no`,
  ]);
  assert.deepEqual(told([refusal("listeners")]), [
    `PeerAuthentication istio-system/strict: ${WHY}: those of production/api-0 refuse their listeners: no`,
    `Pod production/api-0: ${WHY}: those of production/api-0 refuse their listeners: no`,
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

const RULE = { kind: "DestinationRule", namespace: "production", name: "slow" };

/** Of a pod that may call one destination, which a rule decides on. */
function viewOfCaller(lookedThrough: () => void): WorkloadView {
  const called = {
    ...destination({ name: "api", port: 1 }),
    clientTls: { mode: "DISABLE", origin: { ref: RULE, source: { file: "a.yaml", line: 1 } } },
  } as const;
  const counted = Object.defineProperty({ ...called }, "host", {
    enumerable: true,
    get: () => {
      lookedThrough();
      return called.host;
    },
  });
  return workloadView({ rootsPem: [], destinations: [counted] });
}

test("whom thousands of pods may call is looked through once", () => {
  let times = 0;
  const first = viewOfCaller(() => times++);
  const views = Array.from({ length: 2_000 }, () => ({
    ...first,
    outbound: { ...first.outbound }, // another for each, of the same destinations
  }));
  const all = refusedResources(
    views.map((_, index) => refusal("clusters", "no", String(index))),
    (pod) => views[Number(pod)],
  );
  assert.equal(times, 1);
  assert.match(
    all.find(({ ref }) => ref.kind === RULE.kind)?.message ?? "",
    / and 1995 more refuse their clusters: no$/,
  );
  assert.equal(refusedResources([refusal("endpoints")], () => first)[0]?.ref.name, RULE.name);
  assert.equal(times, 1);
});

test("of the same parts a policy that lets in and one that asks others are told apart", () => {
  const both = workloadView({
    rootsPem: [],
    policies: [policy("CUSTOM", "asked", {}), policy("ALLOW", "readers", {})],
  });
  const names = (what: string): readonly string[] =>
    refusedResources([refusal(what)], () => both).map(({ ref }) => ref.name);
  assert.deepEqual(names("authorization"), ["asked", "readers", "api-0"]);
  assert.deepEqual(names("listeners"), ["asked", "api-0"]);
});

test("what our own sidecar refuses concerns all of its view", () => {
  assert.equal(told([refusal("view")]).length, 4);
});

test("of many proxies a few are named, and an error is cut", () => {
  const pods = Array.from({ length: 1_000 }, (_, index) => `a/p-${index + 1_000}`);
  const all = told(pods.map((pod) => refusal("listeners", "x".repeat(10_000), pod)));
  assert.ok(all.length <= 1 + 64);
  const first = all.find((one) => one.startsWith("PeerAuthentication")) ?? "";
  assert.match(first, /those of a\/p-1000, .*, a\/p-1004 and 995 more refuse their listeners: x+$/);
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
