/** From logs and pods to what the page shows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessLogEntry } from "../../test/kit/access-log-entry.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";
import { EndedPods } from "./ended-pods.ts";
import type { LoggedCall, MeshSource, PodFacts } from "./mesh-source.ts";
import { ObservedMesh } from "./observed-mesh.ts";
import { ServiceNames } from "./service-names.ts";

const NOW = new Date("2026-01-01T00:00:30.000Z");
const FRONTEND = "spiffe://cluster.local/ns/production/sa/frontend";

const pod = (name: string, more: Partial<PodFacts> = {}): PodFacts => ({
  namespace: "production",
  name: `${name}-0`,
  owner: name,
  kind: "Deployment",
  ports: [],
  ...more,
});
const PODS: readonly PodFacts[] = [
  pod("frontend", { identity: FRONTEND, certificateEnds: "2026-01-01T01:00:30.000Z" }),
  pod("api", {
    identity: "spiffe://cluster.local/ns/production/sa/api",
    certificateEnds: "2026-01-01T00:00:00.000Z",
    ports: [
      {
        containerPort: 8080,
        listen: { address: "127.0.0.1", port: 20003 },
        mutualTls: { mode: "STRICT" },
      },
    ],
  }),
  pod("old", {
    addresses: { ipv4: "10.0.0.9" },
    ports: [{ containerPort: 80, listen: { address: "10.0.0.9", port: 80 } }],
  }),
];

function stage(
  calls: readonly LoggedCall[],
  pods: readonly PodFacts[] = PODS,
): { readonly mesh: ObservedMesh; readonly at: { now: Date }; readonly asked: () => number } {
  const at = { now: NOW };
  const waiting = [...calls];
  let asked = 0;
  const source: MeshSource = {
    status: async () => {
      asked++;
      return { pods, troubles: [] };
    },
    readLogs: async (receive) => {
      for (const call of waiting.splice(0)) receive(call);
    },
    summaryOf: ({ entry }) => `${entry.method} ${entry.path}`,
    explanationOf: () => ["Denied: because"],
  };
  return { mesh: new ObservedMesh(source, { now: () => at.now }), at, asked: () => asked };
}

const at = (name: string, changes: Partial<AccessLogEntry> = {}): LoggedCall => ({
  pod: `production/${name}-0`,
  entry: accessLogEntry(changes),
});
const DENIED: Partial<AccessLogEntry> = {
  decision: { verdict: "deny", reason: { because: "unknown-destination" } },
};
const outbound: Partial<AccessLogEntry> = { reporter: "source", decision: null };

const counted: readonly [
  what: string,
  calls: readonly LoggedCall[],
  edges: readonly (readonly [string, string, string, number])[],
][] = [
  ["a call by mutual TLS", [at("api")], [["production/frontend", "production/api", "1/1", 0]]],
  [
    "shares of both, and refusals",
    [at("api"), at("api", DENIED), at("api", { source_principal: null })],
    [
      ["production/frontend", "production/api", "2/2", 1],
      ["without identity", "production/api", "0/1", 0],
    ],
  ],
  [
    "a caller without a certificate at a pod's address",
    [at("api", { source_principal: null, downstream_remote_address: "10.0.0.9:41000" })],
    [["production/old", "production/api", "0/1", 0]],
  ],
  [
    "the caller's log only where the called pod has no sidecar",
    [
      at("frontend", { ...outbound, upstream_host: "127.0.0.1:20003" }),
      at("frontend", { ...outbound, upstream_host: "10.0.0.9:80" }),
    ],
    [["production/frontend", "production/old", "0/1", 0]],
  ],
  [
    "calls out of the mesh",
    [at("frontend", { ...outbound, upstream_cluster: "PassthroughCluster" })],
    [["production/frontend", "outside the mesh", "0/1", 0]],
  ],
  ["nothing that is old", [at("api", { start_time: "2025-12-31T23:45:00.000Z" })], []],
  ["nothing whose time is none", [at("api", { start_time: "yesterday" })], []],
];
for (const [what, calls, edges] of counted) {
  test(`counts ${what}`, async () => {
    const view = await stage(calls).mesh.graph();
    const told = view.edges.map(({ from, to, mutualTls, calls, refused }) => [
      from,
      to,
      `${mutualTls}/${calls}`,
      refused,
    ]);
    assert.deepEqual(told, edges);
  });
}

test("an identity that several workloads prove is told by its account", async () => {
  const shared = [...PODS, pod("frontend-v2", { identity: FRONTEND })];
  const [edge] = (await stage([at("api")], shared).mesh.graph()).edges;
  assert.equal(edge?.from, "production, account frontend");
});

const percents: readonly [mutualTls: number, plaintext: number, percent: number][] = [
  [1, 0, 100],
  [0, 1, 0],
  [999, 1, 99],
  [1, 999, 1],
  [1, 2, 33],
];
for (const [mutualTls, plaintext, percent] of percents) {
  test(`${mutualTls} by mutual TLS and ${plaintext} in plaintext are ${percent} %`, async () => {
    const without = pod("frontend", { addresses: { ipv4: "10.0.0.1" }, identity: FRONTEND });
    const safe = Array.from({ length: mutualTls }, () => at("api"));
    const unsafe = Array.from({ length: plaintext }, () =>
      at("api", { source_principal: null, downstream_remote_address: "10.0.0.1:1" }),
    );
    const view = await stage([...safe, ...unsafe], [without, ...PODS.slice(1)]).mesh.graph();
    assert.deepEqual(
      view.edges.map(({ mutualTlsPercent }) => mutualTlsPercent),
      [percent],
    );
  });
}

test("what was counted falls away after fifteen minutes", async () => {
  const { mesh, at: clock } = stage([at("api")]);
  assert.equal((await mesh.graph()).edges.length, 1);
  clock.now = new Date("2026-01-01T00:14:59.000Z");
  assert.equal((await mesh.graph()).edges.length, 1);
  clock.now = new Date("2026-01-01T00:15:00.000Z");
  assert.equal((await mesh.graph()).edges.length, 0);
});

test("workloads tell identity, time left and mode, or that there is none", async () => {
  const { workloads } = await stage([]).mesh.workloads();
  const told = workloads.map(({ pod, identity, certificateSecondsLeft, ports }) => [
    pod,
    identity,
    certificateSecondsLeft,
    ports.map(({ port, mode }) => `${port} ${mode}`).join(),
  ]);
  assert.deepEqual(told, [
    ["production/api-0", "spiffe://cluster.local/ns/production/sa/api", -30, "8080 STRICT"],
    ["production/frontend-0", FRONTEND, 3600, ""],
    ["production/old-0", null, null, "80 plaintext"],
  ]);
});

test("denials that are alike stand once, the newest first, and no more than fifty", async () => {
  const denied = (path: string, second: number): LoggedCall =>
    at("api", {
      ...DENIED,
      path,
      start_time: `2026-01-01T00:00:${String(second % 60).padStart(2, "0")}.000Z`,
    });
  const { denials } = await stage([
    denied("/a", 1),
    denied("/b", 2),
    denied("/a", 3),
  ]).mesh.denials();
  assert.deepEqual(denials, [
    {
      summary: "GET /a",
      explanation: ["Denied: because"],
      times: 2,
      lastTime: "2026-01-01T00:00:03.000Z",
    },
    {
      summary: "GET /b",
      explanation: ["Denied: because"],
      times: 1,
      lastTime: "2026-01-01T00:00:02.000Z",
    },
  ]);
  const many = Array.from({ length: 60 }, (_, index) => denied(`/${index}`, index));
  const kept = (await stage(many).mesh.denials()).denials;
  assert.equal(kept.length, 50);
  assert.equal(kept[0]?.summary, "GET /59");
});

test("the mesh is asked once for all views of a second", async () => {
  const { mesh, at: clock, asked } = stage([]);
  await Promise.all([mesh.graph(), mesh.workloads(), mesh.denials()]);
  assert.equal(asked(), 1);
  clock.now = new Date(NOW.getTime() + 1_000);
  await mesh.graph();
  assert.equal(asked(), 2);
});

const ROLLED_OUT = PODS.map((one) => ({ ...one, name: `${one.name}-b`, addresses: {}, ports: [] }));

test("calls of a pod that ended before anybody looked are its workload's", async () => {
  const view = await stage([at("api", DENIED)], ROLLED_OUT).mesh.graph();
  const [edge] = view.edges;
  assert.deepEqual([edge?.from, edge?.to], ["production/frontend", "production/api"]);
  assert.ok(view.services.every(({ sidecar }) => sidecar !== "outside"));
});

test("pods that were seen keep their addresses and identities while calls of theirs count", () => {
  const ended = new EndedPods();
  const later = (minutes: number): Date => new Date(NOW.getTime() + minutes * 60_000);
  const others = [pod("other")];
  assert.deepEqual(ended.among(PODS, NOW), []);
  const kept = ended.among(others, later(1));
  assert.deepEqual(kept, PODS);
  const names = new ServiceNames(others, kept);
  const ends = names.endsOf(at("api"));
  assert.deepEqual([ends?.from, ends?.to], ["production/frontend", "production/api"]);
  const plain = { source_principal: null, downstream_remote_address: "10.0.0.9:41000" };
  assert.equal(names.endsOf(at("api", plain))?.from, "production/old");
  assert.deepEqual(ended.among(others, later(16)), []);
});

test("what a pod of now has is its own, whoever had it before", () => {
  const heir = pod("heir", { addresses: { ipv4: "10.0.0.9" }, identity: FRONTEND });
  const names = new ServiceNames([heir, ...PODS.slice(1, 2)], PODS);
  const plain = { source_principal: null, downstream_remote_address: "10.0.0.9:41000" };
  assert.equal(names.endsOf(at("api", plain))?.from, "production/heir");
  assert.equal(names.endsOf(at("api"))?.from, "production/heir");
});
