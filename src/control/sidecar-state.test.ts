import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { SubscriberStatus } from "./discovery-service.ts";
import { processPlace } from "./process-place.ts";
import { SidecarRegister, type SidecarState, sidecarName } from "./sidecar-state.ts";

const { workloads } = snapshotOf(`
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, namespace: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec: { containers: [{ name: api, image: api, command: [api] }] }
`);
const start = Date.parse("2026-03-04T05:06:07Z");

/** A stream for the view of `name`, with a certificate that was issued for `of`. */
function stream(
  name: string,
  {
    of,
    uid = `uid of shop/${of}`,
    signer = "new",
    minute = 0,
    place,
  }: {
    readonly place?: SubscriberStatus["place"];
    readonly of?: string;
    readonly uid?: string;
    readonly signer?: string;
    readonly minute?: number;
  },
): SubscriberStatus {
  const notBefore = new Date(start + minute * 60_000);
  return {
    name: `shop/${name}`,
    principal: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/default"),
    remoteAddress: "127.0.0.1:1",
    trustAcked: "newest",
    ...(place && { place }),
    certificate: {
      serialNumber: "01",
      authorityKeyIdentifier: signer,
      notBefore,
      notAfter: new Date(notBefore.getTime() + 3_600_000),
    },
    ...(of !== undefined && {
      pod: { namespace: "shop", podName: of, podUid: uid, serviceAccount: "default" },
    }),
  };
}

const stateOf = (states: readonly SidecarState[], name: string): string[] =>
  states
    .filter(({ pod }) => pod === `shop/${name}`)
    .map(({ connection, certificate }) =>
      [connection, certificate?.authorityKeyIdentifier].join(" "),
    );
const judged = (...streams: readonly SubscriberStatus[]): readonly SidecarState[] =>
  new SidecarRegister().states(workloads, streams);

for (const [what, foreign] of [
  ["a sibling's certificate", stream("api-1", { of: "api-0" })],
  ["a certificate of which the issue log knows nothing", stream("api-1", {})],
  ["a certificate of a former pod of that name", stream("api-1", { of: "api-1", uid: "former" })],
] as const)
  test(`a stream with ${what} speaks for nobody`, () => {
    const states = judged(stream("api-0", { of: "api-0" }), foreign);
    assert.deepEqual(stateOf(states, "api-0"), ["connected new"]);
    assert.deepEqual(stateOf(states, "api-1"), ["absent "]);
  });

test("an old certificate that a sibling shows on a later stream changes nothing", () => {
  const good = ["api-0", "api-1"].map((name) => stream(name, { of: name, minute: 5 }));
  const states = judged(...good, stream("api-1", { of: "api-0", signer: "old" }));
  assert.deepEqual(stateOf(states, "api-1"), ["connected new"]);
});

test("of several streams of one pod the newest certificate counts, and of two with the same one the last", () => {
  const old = stream("api-0", { of: "api-0", signer: "old" });
  const renewed = stream("api-0", { of: "api-0", minute: 5 });
  for (const streams of [
    [old, renewed],
    [renewed, old],
  ])
    assert.deepEqual(stateOf(judged(...streams), "api-0"), ["connected new"]);
  const [state] = judged(renewed, { ...renewed, trustAcked: "none" });
  assert.equal(state?.trust, "none");
});

test("what an absent one showed last is its own", () => {
  const register = new SidecarRegister();
  register.states(workloads, [stream("api-0", { of: "api-0" })]);
  const states = register.states(workloads, [stream("api-0", { of: "api-1", signer: "old" })]);
  assert.deepEqual(stateOf(states, "api-0"), ["absent new"]);
});

const worker = (
  process: number,
  options: { readonly count?: number; readonly minute?: number; readonly signer?: string } = {},
): SubscriberStatus => {
  const { count = 3, ...rest } = options;
  return stream("api-0", { of: "api-0", place: { process, of: count }, ...rest });
};

test("each process of a sidecar of several is judged by itself, and one that has not come is absent", () => {
  const states = judged(worker(1), worker(3, { signer: "old" }));
  assert.deepEqual(stateOf(states, "api-0"), ["connected new", "absent ", "connected old"]);
  assert.deepEqual(states.filter(({ pod }) => pod === "shop/api-0").map(sidecarName), [
    "shop/api-0 process 1",
    "shop/api-0 process 2",
    "shop/api-0 process 3",
  ]);
});

test("of several streams of one process the newest certificate counts, and the other processes' count too", () => {
  const renewed = worker(2, { minute: 5, count: 2 });
  const streams = [worker(1, { count: 2 }), renewed, worker(2, { signer: "old", count: 2 })];
  assert.deepEqual(stateOf(judged(...streams), "api-0"), ["connected new", "connected new"]);
});

test("a process that has gone blocks until it is back, or the sidecar has fewer", () => {
  const register = new SidecarRegister();
  const statesWith = (...streams: readonly SubscriberStatus[]): string[] =>
    stateOf(register.states(workloads, streams), "api-0");
  statesWith(worker(1), worker(2), worker(3));
  assert.deepEqual(statesWith(worker(1), worker(3)), [
    "connected new",
    "absent new",
    "connected new",
  ]);
  assert.deepEqual(statesWith(), ["absent new", "absent new", "absent new"]);
  assert.deepEqual(statesWith(stream("api-0", { of: "api-0", minute: 5 })), ["connected new"]);
  assert.deepEqual(statesWith(), ["absent new"]);
});

for (const [said, place] of [
  [
    { number: 2, of: 3 },
    { process: 2, of: 3 },
  ],
  [
    { number: 1, of: 64 },
    { process: 1, of: 64 },
  ],
  [{ number: 3, of: 2 }, undefined],
  [{ number: 0, of: 2 }, undefined],
  [{ number: 1, of: 65 }, undefined],
  [{ number: 1.5, of: 2 }, undefined],
  [undefined, undefined],
] as const)
  test(`a process that says ${JSON.stringify(said)} is ${JSON.stringify(place)}`, () => {
    assert.deepEqual(processPlace(said), place);
  });
