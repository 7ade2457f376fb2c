import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "../policy/build-workload-view.ts";
import type { Destination } from "../policy/workload-view.ts";
import type { HashInput } from "./balancing/call-hash.ts";
import { seededChance } from "./balancing/seeded-chance.ts";
import {
  type BalancedCall,
  type CallSelection,
  DestinationBalancer,
} from "./destination-balancer.ts";

function mesh({ replicas = 4, policy = "" }): string {
  return `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
${
  policy &&
  `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: rule, namespace: shop}
spec: {host: api, trafficPolicy: {${policy}}}`
}`;
}

/** As its callers' sidecars are told; endpoints are api-0, api-1, ... at 10.244.0.1, 10.244.0.2, ... */
function destinationOf(parts: { replicas?: number; policy?: string } = {}): Destination {
  const snapshot = snapshotOf(mesh(parts), { addressing: "own" });
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, "shop/api-0"));
  const [destination] = view.outbound.destinations;
  assert.ok(destination);
  return destination;
}

function balancing(parts: { replicas?: number; policy?: string } = {}) {
  const said: string[] = [];
  const balancer = new DestinationBalancer(destinationOf(parts), {
    chance: seededChance(7),
    now: () => 0,
    events: {
      ejected: ({ host }, { workload }, cause) => said.push(`${host} ${workload} ${cause}`),
      returned: (_destination, { workload }) => said.push(`${workload} returned`),
    },
  });
  return { balancer, said };
}

const HTTP: BalancedCall = { carried: "http" };
const TCP: BalancedCall = { carried: "tcp" };

function selected(balancer: DestinationBalancer, call = HTTP): CallSelection {
  const selection = balancer.select(call);
  assert.ok(typeof selection !== "string", String(selection));
  return selection;
}

/** The endpoints of so many calls, one after the other. */
function served(balancer: DestinationBalancer, calls: number, call = HTTP): string[] {
  return Array.from({ length: calls }, () => {
    const selection = selected(balancer, call);
    selection.done();
    return selection.endpoint.workload;
  });
}
const each = (names: readonly string[]): string => [...new Set(names)].sort().join(" ");
const from = (address: string): BalancedCall => {
  const hashInput: HashInput = {
    source: { address, port: 1 },
    local: { address: "10.96.0.1", port: 80 },
  };
  return { ...HTTP, hashInput };
};

const ALL = "api-0 api-1 api-2 api-3";
for (const simple of ["LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH", "UNSPECIFIED"]) {
  test(`loadBalancer: {simple: ${simple}}: every endpoint has its turn`, () => {
    const { balancer } = balancing({ policy: `loadBalancer: {simple: ${simple}}` });
    assert.equal(each(served(balancer, 100)), ALL);
    assert.equal(balancer.sticks, false);
  });
}

test("ROUND_ROBIN: each in turn", () => {
  const { balancer } = balancing({ policy: "loadBalancer: {simple: ROUND_ROBIN}" });
  for (let round = 0; round < 5; round++) assert.equal(each(served(balancer, 4)), ALL);
});

test("without a rule, least request: who is busy is spared", () => {
  const { balancer } = balancing({ replicas: 2 });
  const first = selected(balancer);
  const counts = served(balancer, 100).filter((name) => name === first.endpoint.workload).length;
  // Only when both draws are the busy one.
  assert.ok(counts > 5 && counts < 45, String(counts));
});

test("useSourceIp: one caller's calls go to one endpoint, others' elsewhere", () => {
  const { balancer } = balancing({ policy: "loadBalancer: {consistentHash: {useSourceIp: true}}" });
  assert.equal(balancer.sticks, true);
  const homes = Array.from({ length: 40 }, (_, at) => served(balancer, 5, from(`10.1.0.${at}`)));
  for (const home of homes) assert.equal(new Set(home).size, 1);
  assert.equal(each(homes.flat()), ALL);
  assert.equal(each(served(balancer, 100)), ALL, "a call that says nothing goes anywhere");
});

test("a headless service's pod that was called by its own address is the one, ejected or not", () => {
  const { balancer } = balancing({
    policy: "outlierDetection: {consecutive5xxErrors: 1, maxEjectionPercent: 100}",
  });
  const third = { address: "10.244.0.3", port: 8080 };
  const member = destinationOf().endpoints.find(({ address }) => address.address === third.address);
  assert.ok(member);
  const only = { ...HTTP, only: member.address };
  const selection = selected(balancer, only);
  selection.answered(500);
  assert.equal(selection.next(), "selected");
  assert.equal(selection.isRepeat, true);
  selection.ruleOut();
  assert.equal(selection.next(), "no-healthy-upstream");
  selection.done();
  assert.equal(each(served(balancer, 20, only)), member.workload);
  assert.ok(!served(balancer, 50).includes(member.workload));
  const nobody = { ...HTTP, only: { address: "10.244.0.9", port: 8080 } };
  assert.equal(balancer.select(nobody), "no-healthy-upstream");
});

const limits: [policy: string, call: BalancedCall, most: number][] = [
  ["http: {http2MaxRequests: 3}", HTTP, 3],
  ["tcp: {maxConnections: 2}", TCP, 2],
  ["http: {http1MaxPendingRequests: 1}", TCP, 1],
  ["http: {http2MaxRequests: 1}", TCP, 20],
  ["tcp: {maxConnections: 1}", HTTP, 20],
  ["http: {maxRetries: 1}", HTTP, 20],
];
for (const [policy, call, most] of limits) {
  test(`connectionPool: {${policy}}, ${call.carried}: ${most} calls at once`, () => {
    const { balancer } = balancing({ policy: `connectionPool: {${policy}}` });
    const held: CallSelection[] = [];
    for (let made = 0; made < 20; made++) {
      const selection = balancer.select(call);
      if (selection === "overflow") break;
      assert.ok(selection !== "no-healthy-upstream");
      held.push(selection);
    }
    assert.equal(held.length, most);
    if (most === 20) return;
    held[0]?.done();
    held[0]?.done();
    assert.ok(typeof balancer.select(call) !== "string");
    assert.equal(balancer.select(call), "overflow");
  });
}

test("http1MaxPendingRequests: so many requests wait for a connection; a connection that stands waits no more", () => {
  const policy = "connectionPool: {http: {http1MaxPendingRequests: 1}}";
  const { balancer } = balancing({ policy });
  const [one, other] = [selected(balancer), selected(balancer)];
  assert.deepEqual([one.waits(), other.waits()], ["taken", "overflow"]);
  one.connected();
  assert.equal(other.waits(), "taken");
  assert.equal(other.next(), "selected");
  assert.equal(one.waits(), "taken", "a try that is over waits no more");
  const stream = balancing({ policy }).balancer;
  selected(stream, TCP).connected();
  assert.ok(typeof stream.select(TCP) !== "string");
});

test("maxRetries: so many tries at once that are not the first", () => {
  const { balancer } = balancing({ policy: "connectionPool: {http: {maxRetries: 1}}" });
  const [one, other] = [selected(balancer), selected(balancer)];
  assert.deepEqual([one.next(), other.next(), one.next()], ["selected", "overflow", "selected"]);
  one.done();
  assert.equal(other.next(), "selected");
});

test("maxConnections: so many that requests share; each counts until it is closed, or was not made", async () => {
  const { balancer } = balancing({ policy: "connectionPool: {tcp: {maxConnections: 2}}" });
  const [endpoint] = destinationOf().endpoints;
  assert.ok(endpoint);
  const dial = async () => {
    const upstream = { socket: new Socket() };
    assert.equal(await balancer.dialCounted(endpoint, async () => upstream), upstream);
    return upstream.socket;
  };
  const first = await dial();
  assert.equal(balancer.mayConnect, true);
  const failed = balancer.dialCounted(endpoint, () => Promise.reject(new Error("no")));
  assert.equal(balancer.mayConnect, false, "while it is dialled");
  await assert.rejects(failed, /no/);
  assert.equal(balancer.mayConnect, true);
  const second = await dial();
  assert.deepEqual([balancer.mayConnect, balancer.select(TCP)], [false, "overflow"]);
  const third = await dial();
  // One more than may be.
  for (const socket of [first, second]) {
    assert.equal(balancer.mayConnect, false);
    socket.destroy();
    await once(socket, "close");
  }
  assert.equal(balancer.mayConnect, true);
  const closed = third.destroy();
  await once(closed, "close");
  for (let dialled = 0; dialled < 3; dialled++) {
    await balancer.dialCounted(endpoint, async () => ({ socket: closed }));
  }
  assert.equal(balancer.mayConnect, true);
});

test("another try goes to every other endpoint before it comes back to one", () => {
  for (const algorithm of ["simple: RANDOM", "consistentHash: {useSourceIp: true}"]) {
    const { balancer } = balancing({ policy: `loadBalancer: {${algorithm}}` });
    for (let caller = 0; caller < 30; caller++) {
      const selection = selected(balancer, from(`10.1.0.${caller}`));
      const tried = [selection.endpoint.workload];
      for (let retry = 0; retry < 3; retry++) {
        assert.equal(selection.next(), "selected");
        assert.equal(selection.isRepeat, false);
        tried.push(selection.endpoint.workload);
      }
      assert.equal(each(tried), ALL);
      assert.equal(selection.next(), "selected");
      assert.equal(selection.isRepeat, true);
      selection.done();
    }
  }
});

test("who is ruled out is not tried again, and when all are nobody is", () => {
  const { balancer } = balancing({ replicas: 2 });
  const selection = selected(balancer);
  selection.ruleOut();
  const hopeless = selection.endpoint;
  for (let retry = 0; retry < 10; retry++) {
    assert.equal(selection.next(), "selected");
    assert.notEqual(selection.endpoint, hopeless);
  }
  selection.ruleOut();
  assert.equal(selection.next(), "no-healthy-upstream");
});

test("no endpoint: UH; NetworkPolicies keep us from one: it is none", () => {
  const destination = destinationOf({ replicas: 2 });
  const [first, second] = destination.endpoints;
  assert.ok(first && second);
  const { balancer } = balancing();
  const refused = { ...first, refusedBy: { direction: "egress", policies: [] } as const };
  balancer.update({ ...destination, endpoints: [refused, second] });
  assert.equal(each(served(balancer, 20)), second.workload);
  balancer.update({ ...destination, endpoints: [] });
  for (const call of [HTTP, TCP]) assert.equal(balancer.select(call), "no-healthy-upstream");
});

const OUTLIER =
  "outlierDetection: {consecutive5xxErrors: 2, maxEjectionPercent: 50, interval: 1s, baseEjectionTime: 10s}";

test("outlierDetection: who fails is left out, told once, and taken back", () => {
  const { balancer, said } = balancing({ policy: OUTLIER });
  const bad = selected(balancer).endpoint.workload;
  for (let call = 0; call < 200; call++) {
    const selection = selected(balancer);
    selection.answered(selection.endpoint.workload === bad ? 503 : 200);
    selection.done();
  }
  assert.deepEqual(said, [`api.shop.svc.cluster.local ${bad} consecutive_5xx`]);
  assert.ok(!served(balancer, 50).includes(bad));
  for (const ms of [1_000, 9_000]) balancer.sweep(ms);
  assert.ok(!served(balancer, 50).includes(bad));
  balancer.sweep(10_000);
  assert.deepEqual(said.slice(1), [`${bad} returned`]);
  assert.ok(served(balancer, 50).includes(bad));
});

test("one that should be left out, but must not, is not told; errors are counted over views", () => {
  const two = "outlierDetection: {consecutive5xxErrors: 2, maxEjectionPercent";
  const { balancer, said } = balancing({ policy: `${two}: 24}` });
  const selection = selected(balancer);
  for (let error = 0; error < 9; error++) selection.answered(500);
  assert.deepEqual(said, []);
  balancer.update(destinationOf({ policy: `${two}: 25}` }));
  selection.answered(500);
  assert.deepEqual(said, [], "other settings begin anew");
  balancer.update(destinationOf({ policy: `${two}: 25}`, replicas: 5 }));
  selection.answered(500);
  assert.equal(said.length, 1);
});

test("failures to connect and time-outs count as 5xx errors; a connection of TCP that stands ends the row", () => {
  const { balancer, said } = balancing({ replicas: 2, policy: OUTLIER });
  const [member] = destinationOf({ replicas: 2 }).endpoints;
  assert.ok(member);
  const one = selected(balancer, { ...TCP, only: member.address });
  one.failed("connect-failed");
  one.connected();
  one.failed("timeout");
  assert.deepEqual(said, []);
  one.failed("reset");
  assert.equal(said.length, 1);
});

test("another view: who stays keeps his ejection, who goes finishes, who is new is picked", () => {
  const { balancer, said } = balancing({ replicas: 3, policy: OUTLIER });
  const before = selected(balancer);
  const bad = before.endpoint;
  for (let error = 0; error < 2; error++) before.answered(500);
  // At most half of three is one.
  assert.equal(said.length, 1);
  balancer.update(destinationOf({ replicas: 4, policy: OUTLIER }));
  const now = served(balancer, 100);
  assert.ok(!now.includes(bad.workload));
  assert.equal(new Set(now).size, 3);
  const leaving = destinationOf({ replicas: 4, policy: OUTLIER });
  const endpoints = leaving.endpoints.filter(({ workload }) => workload !== bad.workload);
  balancer.update({ ...leaving, endpoints });
  before.answered(200);
  before.done();
  balancer.update(leaving);
  assert.ok(served(balancer, 100).includes(bad.workload), "as a new one");
});

test("another rule: its algorithm and limits count at once; what is in use stays so", () => {
  const { balancer } = balancing();
  const held = [selected(balancer), selected(balancer)];
  balancer.update(
    destinationOf({
      policy:
        "loadBalancer: {consistentHash: {useSourceIp: true}}, connectionPool: {http: {http2MaxRequests: 2}, tcp: {connectTimeout: 1s}}",
    }),
  );
  assert.equal(balancer.sticks, true);
  assert.equal(balancer.policy.connectionPool.connectTimeoutMs, 1_000);
  assert.equal(balancer.select(HTTP), "overflow");
  for (const one of held) one.done();
  assert.equal(new Set(served(balancer, 20, from("10.1.0.1"))).size, 1);
  balancer.update(destinationOf());
  assert.equal(balancer.sticks, false);
});

test("whatever calls do, in the end nothing is held, and limits were kept all the time", () => {
  type Step = readonly [call: number, what: "next" | "waits" | "connected" | "fail" | "done"];
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.nat(9),
    fc.constantFrom("next", "waits", "connected", "fail", "done"),
  );
  const law = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const { balancer } = balancing({
      policy: `connectionPool: {tcp: {maxConnections: 3}, http: {http2MaxRequests: 3, maxRetries: 2, http1MaxPendingRequests: 2}}, ${OUTLIER}`,
    });
    const calls = new Map<number, CallSelection>();
    const live = { http: 0, tcp: 0 };
    for (const [at, what] of steps) {
      const carried = at % 2 === 0 ? "http" : "tcp";
      const call = calls.get(at);
      if (call === undefined) {
        const made = balancer.select({ carried });
        if (typeof made === "string") continue;
        calls.set(at, made);
        live[carried]++;
        assert.ok(live[carried] <= 3);
      } else if (what === "done") {
        call.done();
        calls.delete(at);
        live[carried]--;
      } else if (what === "fail") call.failed("reset");
      else call[what]();
    }
    for (const call of calls.values()) call.done();
    // All of it can be taken again.
    const again = [0, 1, 2].map(() => balancer.select(HTTP));
    assert.ok(again.every((one) => typeof one !== "string"));
    assert.ok(
      again.slice(0, 2).every((one) => typeof one !== "string" && one.next() === "selected"),
    );
    const streams = [0, 1].map(() => balancer.select(TCP));
    assert.ok(streams.every((one) => typeof one !== "string"));
  });
  fc.assert(law, { numRuns: 60 });
});
