/** What every way of spreading calls must hold, and how evenly each of them spreads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Dice } from "../../../test/kit/dice.ts";
import type { LoadBalancing } from "../../policy/effective-traffic-policy.ts";
import { chooseLoadBalancer } from "./choose-load-balancer.ts";
import { EndpointSet } from "./endpoint-set.ts";
import { Ticket } from "./limited-resource.ts";
import type { LoadBalancer } from "./load-balancer.ts";
import { pickUntried } from "./pick-untried.ts";
import { seededChance } from "./seeded-chance.ts";
import { XxHash64 } from "./xx-hash-64.ts";

const endpoint = (name: string): string => name;
const NAMES = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.5:80"];

const RING: LoadBalancing = {
  algorithm: "RING_HASH",
  key: { from: "header", name: "user" },
  minimumRingSize: 1_024,
};
const POLICIES: readonly LoadBalancing[] = [
  { algorithm: "LEAST_REQUEST" },
  { algorithm: "ROUND_ROBIN" },
  { algorithm: "RANDOM" },
  { algorithm: "PASSTHROUGH" },
  RING,
];

function balanced(policy: LoadBalancing, names: readonly string[], seed = 1) {
  const dice = new Dice(seed);
  const set = new EndpointSet<string>({ keyOf: endpoint });
  set.update(names);
  const chance = (below: number): number => dice.between(0, below - 1);
  const balancer = chooseLoadBalancer(policy, set, { chance, ringKeyOf: endpoint });
  return { set, balancer };
}

function countPicks(balancer: LoadBalancer<string>, picks: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let pick = 0; pick < picks; pick++) {
    const key = balancer.pick()?.key ?? "none";
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

for (const policy of POLICIES) {
  const { algorithm } = policy;

  test(`${algorithm}: nobody to pick, and one`, () => {
    const { set, balancer } = balanced(policy, []);
    assert.equal(balancer.pick(), undefined);
    set.update(["a"]);
    assert.equal(balancer.pick()?.key, "a");
    for (const member of set.members) set.eject(member);
    assert.equal(balancer.pick(), undefined);
  });

  test(`${algorithm}: what is picked may be picked, whatever happens`, () => {
    const step = fc.record({
      what: fc.constantFrom("pick", "pick", "pick", "eject", "restore", "update"),
      at: fc.nat(4),
      names: fc.subarray(NAMES),
    });
    const law = fc.property(fc.array(step, { maxLength: 60 }), fc.nat(), (steps, seed) => {
      const { set, balancer } = balanced(policy, NAMES, seed);
      const hasher = new XxHash64();
      for (const { what, at, names } of steps) {
        const member = set.members[at];
        if (what === "update") set.update(names);
        else if (what === "eject" && member) set.eject(member);
        else if (what === "restore" && member) set.restore(member);
        for (const hash of [undefined, hasher.ofText(`user ${at}`)]) {
          const picked = balancer.pick(hash);
          const serving = set.members.filter(({ state }) => state === "serving");
          if (picked === undefined) assert.deepEqual(serving, []);
          else assert.ok(serving.includes(picked));
        }
      }
    });
    fc.assert(law, { numRuns: algorithm === "RING_HASH" ? 30 : 100 });
  });

  test(`${algorithm}: in panic also ejected ones are picked`, () => {
    const { set, balancer } = balanced(policy, NAMES);
    set.minHealthPercent = 50;
    for (const member of set.members.slice(1)) set.eject(member);
    assert.equal(set.mode, "panic");
    assert.equal(countPicks(balancer, 1_000).size, NAMES.length);
  });

  test(`${algorithm}: of calls without a hash each endpoint gets its share`, () => {
    const picks = 20_000;
    const counts = countPicks(balanced(policy, NAMES).balancer, picks);
    const share = picks / NAMES.length;
    const bound = algorithm === "ROUND_ROBIN" ? 0 : 0.15 * share;
    for (const name of NAMES) assert.ok(Math.abs((counts.get(name) ?? 0) - share) <= bound, name);
  });
}

test("round robin: any so many picks in a row meet each endpoint once", () => {
  const law = fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(), (size, seed) => {
    const { balancer } = balanced({ algorithm: "ROUND_ROBIN" }, NAMES.slice(0, size), seed);
    const keys = Array.from({ length: 3 * size }, () => balancer.pick()?.key);
    for (let at = 0; at < keys.length - size; at++) {
      assert.equal(new Set(keys.slice(at, at + size)).size, size);
    }
  });
  fc.assert(law);
});

test("least request: of two draws the one with fewer requests", () => {
  const draws: number[] = [];
  const set = new EndpointSet<string>({ keyOf: endpoint });
  set.update(["a", "b", "c"]);
  const options = { chance: () => draws.shift() ?? 0, ringKeyOf: endpoint };
  const balancer = chooseLoadBalancer({ algorithm: "LEAST_REQUEST" }, set, options);
  const [a, b] = set.members;
  assert.ok(a && b && balancer);
  const picked = (...two: number[]): string | undefined => {
    draws.push(...two);
    return balancer.pick()?.key;
  };
  assert.equal(picked(0, 1), "a");
  assert.equal(picked(1, 0), "b");
  a.requests.take(new Ticket());
  assert.equal(picked(0, 1), "b");
  assert.equal(picked(1, 0), "b");
  assert.equal(picked(0, 0), "a");
});

test("least request: an endpoint that answers slowly gets less; all counts return to 0", () => {
  const { set, balancer } = balanced({ algorithm: "LEAST_REQUEST" }, NAMES);
  const [slow] = set.members;
  const active: { readonly ticket: Ticket; readonly ends: number }[] = [];
  const counts = new Map<string, number>();
  for (let now = 0; now < 20_000; now++) {
    const picked = balancer.pick();
    assert.ok(picked);
    counts.set(picked.key, (counts.get(picked.key) ?? 0) + 1);
    const ticket = new Ticket();
    picked.requests.take(ticket);
    active.push({ ticket, ends: now + (picked === slow ? 100 : 4) });
    for (let at = active.length - 1; at >= 0; at--) {
      if ((active[at]?.ends ?? 0) <= now) active.splice(at, 1)[0]?.ticket.giveBack();
    }
  }
  const fair = 20_000 / NAMES.length;
  assert.ok((counts.get(slow?.key ?? "") ?? 0) < fair / 2);
  for (const { ticket } of active) ticket.giveBack();
  assert.ok(set.members.every(({ requests }) => requests.inUse === 0));
});

const users = Array.from({ length: 2_000 }, (_, number) => `user-${number}`);
function homes(balancer: LoadBalancer<string>): (string | undefined)[] {
  const hasher = new XxHash64();
  return users.map((user) => balancer.pick(hasher.ofText(user))?.key);
}

test("consistent hash: the same call goes to the same endpoint, whoever asks", () => {
  const first = homes(balanced(RING, NAMES, 1).balancer);
  assert.deepEqual(homes(balanced(RING, NAMES, 2).balancer), first);
  for (const name of NAMES) {
    const share = first.filter((home) => home === name).length / users.length;
    assert.ok(share > 0.12 && share < 0.3, `${name}: ${share}`);
  }
});

/** Asked for 4 places, each endpoint has one before and after; of 1,024, each of those that stay gets a quarter more. */
const rings: [minimumRingSize: number, mostMoved: number][] = [
  [4, 0],
  [1_024, 0.2],
];
for (const [minimumRingSize, mostMoved] of rings) {
  test(`consistent hash of ${minimumRingSize}: who goes takes its own calls along, and gets them back`, () => {
    const { set, balancer } = balanced({ ...RING, minimumRingSize }, NAMES);
    const before = homes(balancer);
    const [gone] = set.members;
    assert.ok(gone);
    set.eject(gone);
    const meanwhile = homes(balancer);
    assert.ok(!meanwhile.includes(gone.key));
    const others = before.filter((home) => home !== gone.key).length;
    const moved = before.filter((home, at) => home !== gone.key && home !== meanwhile[at]).length;
    assert.ok(moved / others <= mostMoved, `${moved} of ${others}`);
    set.restore(gone);
    assert.deepEqual(homes(balancer), before);
  });
}

test("another try goes to an endpoint that was not tried, while there is one", () => {
  for (const policy of POLICIES) {
    const { balancer, set } = balanced(policy, ["a", "b"]);
    const hash = new XxHash64().ofText("user");
    for (let round = 0; round < 100; round++) {
      const first = balancer.pick(hash);
      assert.ok(first);
      const second = pickUntried(balancer, { tried: [first], candidates: set.candidates }, hash);
      assert.ok(second);
      assert.notEqual(second, first, policy.algorithm);
    }
  }
});

test("where all were tried, or there is one alone, it is tried again", () => {
  const { balancer, set } = balanced({ algorithm: "RANDOM" }, ["a"]);
  const { candidates } = set;
  assert.equal(pickUntried(balancer, { tried: set.members, candidates })?.key, "a");
  set.update([]);
  assert.equal(pickUntried(balancer, { tried: [], candidates: [] }), undefined);
});

test("seeded chance: whole numbers below the bound, each as likely, and again the same", () => {
  const law = fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 30 }), (seed, below) => {
    const [one, same] = [seededChance(seed), seededChance(seed)];
    for (let toss = 0; toss < 20; toss++) {
      const number = one(below);
      assert.ok(Number.isInteger(number) && number >= 0 && number < below);
      assert.equal(same(below), number);
    }
  });
  fc.assert(law);
  const counts = [0, 0, 0, 0, 0, 0, 0];
  const chance = seededChance(7);
  for (let toss = 0; toss < 70_000; toss++) {
    const face = chance(7);
    counts[face] = (counts[face] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
});
