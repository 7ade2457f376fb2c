import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  RemoteClusterState,
  RemoteClustersOverview,
} from "../control/remote-cluster-state.ts";
import { formatRemoteClusters, remoteClusterTroubles } from "./format-remote-clusters.ts";

const NOW = new Date("2026-01-31T12:00:00Z");
const connected: RemoteClusterState = {
  cluster: "east",
  server: "127.0.0.1:20001",
  phase: "connected",
  since: "2026-01-31T11:48:00.000Z",
  services: 1,
  endpoints: 2,
  heardAt: "2026-01-31T11:59:58.000Z",
  dropped: false,
  refusals: [],
};
const away: RemoteClusterState = {
  ...connected,
  phase: "away",
  problem: "connection refused",
  heardAt: "2026-01-31T11:47:55.000Z",
};
const { heardAt: _, ...neverHeard } = away;

const overview = (...remoteClusters: RemoteClusterState[]): RemoteClustersOverview => ({
  cluster: "west",
  trustDomain: "cluster.local",
  listen: "127.0.0.1:21001",
  remoteClusters,
});

test("other meshes are a table, under what this one is called", () => {
  assert.deepEqual(formatRemoteClusters(overview(connected), NOW), [
    "this is the cluster west, of trust domain cluster.local",
    "REMOTE CLUSTER  SERVER           STATE                 SERVICES  ENDPOINTS  HEARD",
    "east            127.0.0.1:20001  connected for 12 min  1         2          2 s ago",
    "",
  ]);
  assert.deepEqual(remoteClusterTroubles(overview(connected), NOW), []);
});

test("a mesh without remote clusters says nothing of them", () => {
  assert.deepEqual(formatRemoteClusters(overview(), NOW), []);
});

const troubles: readonly (readonly [string, RemoteClusterState, RegExp])[] = [
  [
    "what was said last is used",
    away,
    /^remote cluster east at 127\.0\.0\.1:20001 is away for 12 min: connection refused; what it said last is still used \(2 endpoints\)$/,
  ],
  ["it never answered", { ...neverHeard, endpoints: 0 }, /; nothing of it is known$/],
  ["it was away for too long", { ...away, dropped: true }, /; nothing of it is used any more$/],
  [
    "not all of it is taken over",
    { ...connected, refusals: ["shop/api: 10.0.0.1 is no address of this machine"] },
    /^remote cluster east: shop\/api: 10\.0\.0\.1 is no address of this machine$/,
  ],
];

for (const [what, state, expected] of troubles) {
  test(`trouble with another mesh is a sentence: ${what}`, () => {
    const sentences = remoteClusterTroubles(overview(state), NOW);
    assert.equal(sentences.length, 1);
    assert.match(sentences[0] ?? "", expected);
  });
}

test("one that has not answered yet is no trouble, and a clock that was set back shows no time below zero", () => {
  const connecting = {
    ...neverHeard,
    phase: "connecting",
    since: "2026-01-31T12:00:09.000Z",
  } as const;
  assert.deepEqual(remoteClusterTroubles(overview(connecting), NOW), []);
  assert.match(
    formatRemoteClusters(overview(connecting), NOW)[2] ?? "",
    /connecting for 0 s .* never$/,
  );
});
