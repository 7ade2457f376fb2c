import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import { appliedRateLimit } from "../../../test/kit/applied-rate-limit.ts";
import { parseSpiffeId } from "../../identity/spiffe-id.ts";
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import type { Connection } from "../../policy/traffic.ts";
import { ConnectionLimits, refusalByLimits } from "./connection-limits.ts";
import { KnownLimits } from "./known-limits.ts";

const trust = {
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  rootsPem: [],
  minimumTlsVersion: "TLSv1.3",
} as const;

function connectionOf(account: string): Connection {
  return {
    principal: parseSpiffeId(`spiffe://cluster.local/ns/shop/sa/${account}`),
    sourceAddress: "10.0.0.7",
    sourcePort: 1,
    destinationAddress: "10.0.0.8",
    destinationPort: 8080,
  };
}

const [web, batch] = [connectionOf("web"), connectionOf("batch")];

function limitsOf(limits: readonly AppliedRateLimit[], known: KnownLimits): ConnectionLimits {
  const found = ConnectionLimits.of(limits, { known, trust });
  assert.ok(found !== undefined);
  return found;
}

const atOnce = (changes: Partial<AppliedRateLimit> = {}): AppliedRateLimit =>
  appliedRateLimit({ counts: "openConnections", perMs: 0, ...changes });

test("where nothing limits connections there is nothing to ask", () => {
  const known = new KnownLimits();
  assert.equal(ConnectionLimits.of([appliedRateLimit()], { known, trust }), undefined);
});

test("connections at once, by caller: one that has ended makes room for another", () => {
  const limits = limitsOf([atOnce({ key: ["source.principal"] })], new KnownLimits());
  const [first, second] = [limits.admit(web), limits.admit(web)];
  assert.deepEqual([first.refused, second.refused], [undefined, undefined]);
  const third = limits.admit(web);
  assert.deepEqual([third.refused?.left, third.refused?.retryAfterMs], [0, 0]);
  third.ended();
  assert.ok(limits.admit(web).refused !== undefined, "one that was refused had no room to give");
  assert.equal(limits.admit(batch).refused, undefined);
  first.ended();
  assert.equal(limits.admit(web).refused, undefined);
  assert.ok(limits.admit(web).refused !== undefined);
});

test("what stands is counted on under a newer view", () => {
  const known = new KnownLimits();
  const stands = limitsOf([atOnce({ amount: 1 })], known).admit(web);
  const newer = limitsOf([atOnce({ amount: 1, mode: "Enforce" })], known);
  assert.ok(newer.admit(web).refused !== undefined);
  stands.ended();
  assert.equal(newer.admit(web).refused, undefined);
});

test("under another figure what stands is counted on; under another key it is not, and has nothing to give back", () => {
  const known = new KnownLimits();
  const admit = (changes: Partial<AppliedRateLimit>) =>
    limitsOf([atOnce(changes)], known).admit(web);
  const stand = [admit({ amount: 3 }), admit({ amount: 3 }), admit({ amount: 3 })];
  assert.ok(admit({ amount: 2 }).refused !== undefined);
  stand[0]?.ended();
  assert.ok(admit({ amount: 2 }).refused !== undefined, "two stand");
  stand[1]?.ended();
  assert.equal(admit({ amount: 2 }).refused, undefined, "one stood");
  assert.equal(admit({ amount: 3 }).refused, undefined);
  assert.ok(admit({ amount: 3 }).refused !== undefined);
  const byCaller = { amount: 1, key: ["source.principal"] };
  assert.equal(admit(byCaller).refused, undefined);
  stand[2]?.ended();
  assert.ok(admit(byCaller).refused !== undefined);
});

test("only connections that match are counted, and what one limit refuses spends nothing of another", () => {
  const match = [{ line: 1, from: [{ principals: ["*/sa/web"] }], to: [], when: [] }];
  const limits = limitsOf(
    [
      appliedRateLimit({ name: "rate", counts: "connections", amount: 2, perMs: 1_000 }),
      atOnce({ name: "few", amount: 1, match }),
    ],
    new KnownLimits({ now: () => 0 }),
  );
  assert.equal(limits.admit(web).refused, undefined);
  for (let time = 0; time < 5; time++)
    assert.equal(limits.admit(web).refused?.limit, "production/limits/few");
  assert.equal(limits.admit(batch).refused, undefined);
  assert.equal(limits.admit(batch).refused?.limit, "production/limits/rate");
});

test("a limit on trial lets all in, tells of those it would not have, and has nothing of them to give back", () => {
  const known = new KnownLimits();
  const limits = limitsOf([atOnce({ amount: 1, mode: "Shadow" })], known);
  const [first, second] = [limits.admit(web), limits.admit(web)];
  assert.deepEqual([first.trials.length, second.trials.length], [0, 1]);
  second.ended();
  assert.equal(limits.admit(web).trials.length, 1);
  const [tally] = known.tallies();
  assert.deepEqual([tally?.passed, tally?.wouldRefuse], [1, 2]);
});

test("several processes share what may be at once, and each has room for one", () => {
  for (const [processes, room] of [
    [2, 4],
    [16, 1],
  ] as const) {
    const limits = limitsOf([atOnce({ amount: 8 })], new KnownLimits({ processes }));
    const found = Array.from({ length: 9 }, () => limits.admit(web));
    assert.equal(found.filter(({ refused }) => refused === undefined).length, room);
  }
});

test("a socket that has closed meanwhile gives its room back at once", async () => {
  const limits = limitsOf([atOnce({ amount: 1 })], new KnownLimits());
  const socket = new Socket();
  socket.destroy();
  await once(socket, "close");
  for (let time = 0; time < 3; time++)
    assert.equal(refusalByLimits(limits, { socket, connection: web }), undefined);
  const open = new Socket();
  assert.equal(refusalByLimits(limits, { socket: open, connection: web }), undefined);
  const reason = refusalByLimits(limits, { socket: open, connection: web });
  assert.equal(reason?.because, "rate-limited");
  open.destroy();
});
