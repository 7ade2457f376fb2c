import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import { EndpointSet } from "./endpoint-set.ts";
import { Ticket } from "./limited-resource.ts";

interface Pod {
  readonly name: string;
  readonly revision?: number;
}
const pods = (names: string): Pod[] => [...names].map((name) => ({ name }));
const setOf = (names: string, minHealthPercent = 0): EndpointSet<Pod> => {
  const set = new EndpointSet<Pod>({ keyOf: ({ name }) => name, minHealthPercent });
  set.update(pods(names));
  return set;
};
const named = (endpoints: readonly BalancedEndpoint<Pod>[]): string =>
  endpoints.map(({ key }) => key).join("");
function member(set: EndpointSet<Pod>, name: string): BalancedEndpoint<Pod> {
  const found = set.members.find(({ key }) => key === name);
  assert.ok(found);
  return found;
}

test("members stand in the order of the view, each once", () => {
  const set = setOf("bab");
  assert.equal(named(set.members), "ba");
  assert.equal(named(set.candidates), "ba");
});

test("one that stays keeps its counts and learns what is new of it", () => {
  const set = setOf("ab");
  const a = member(set, "a");
  a.requests.take(new Ticket());
  set.update([{ name: "c" }, { name: "a", revision: 2 }]);
  assert.equal(member(set, "a"), a);
  assert.deepEqual([a.requests.inUse, a.endpoint.revision, a.state], [1, 2, "serving"]);
});

test("the same members in the same order are the same list, so that what was built of it stays", () => {
  const set = setOf("abc");
  const { candidates } = set;
  set.update([...pods("ab"), { name: "c", revision: 2 }]);
  assert.equal(set.candidates, candidates);
  assert.equal(member(set, "c").endpoint.revision, 2);
  set.eject(member(set, "b"));
  const fewer = set.candidates;
  set.update(pods("abc"));
  assert.equal(set.candidates, fewer);
  set.update(pods("acb"));
  assert.notEqual(set.candidates, fewer);
  assert.equal(named(set.candidates), "ac");
});

test("one that leaves gets nothing new, finishes what it has, and is forgotten then", () => {
  const set = setOf("ab");
  const a = member(set, "a");
  const [request, connection] = [new Ticket(), new Ticket()];
  a.requests.take(request);
  a.connections.take(connection);
  set.update(pods("b"));
  assert.equal(a.state, "draining");
  assert.equal(named(set.candidates), "b");
  request.giveBack();
  assert.deepEqual(set.takeDrained(), []);
  connection.giveBack();
  assert.deepEqual(set.takeDrained(), [a]);
  assert.deepEqual(set.takeDrained(), []);
  set.update(pods("ab"));
  assert.notEqual(member(set, "a"), a);
});

test("one that comes back while it drains has its counts, and a clean record", () => {
  const set = setOf("ab");
  const a = member(set, "a");
  a.requests.take(new Ticket());
  a.outlier.consecutive5xxErrors = 3;
  set.eject(a);
  set.update(pods("b"));
  assert.equal(set.ejectedCount, 0);
  set.update(pods("ab"));
  assert.equal(member(set, "a"), a);
  assert.deepEqual([a.state, a.requests.inUse, a.outlier.consecutive5xxErrors], ["serving", 1, 0]);
});

test("one that is ejected is no candidate until it is restored", () => {
  const set = setOf("abc");
  const b = member(set, "b");
  set.eject(b);
  set.eject(b);
  assert.deepEqual([named(set.candidates), set.ejectedCount], ["ac", 1]);
  set.update(pods("bcd"));
  assert.equal(named(set.candidates), "cd");
  set.restore(b);
  set.restore(b);
  assert.deepEqual([named(set.candidates), set.ejectedCount], ["bcd", 0]);
});

test("one that drains cannot be ejected", () => {
  const set = setOf("ab");
  const a = member(set, "a");
  set.update(pods("b"));
  set.eject(a);
  set.restore(a);
  assert.deepEqual([a.state, set.ejectedCount], ["draining", 0]);
});

test("what may be picked is another array exactly after a change", () => {
  const set = setOf("ab");
  const before = set.candidates;
  assert.equal(set.candidates, before);
  set.eject(member(set, "a"));
  assert.notEqual(set.candidates, before);
});

/** Ejected of ten, least health in percent, and whether all serve then. */
const panics: [ejected: number, minHealthPercent: number, mode: string][] = [
  [10, 0, "normal"],
  [9, 0, "normal"],
  [5, 50, "normal"],
  [6, 50, "panic"],
  [10, 1, "panic"],
  [3, 80, "panic"],
  [2, 100, "normal"],
  [3, 100, "panic"],
];
for (const [ejected, minHealthPercent, mode] of panics) {
  test(`${ejected} of 10 ejected, at least ${minHealthPercent} %: ${mode}`, () => {
    const set = setOf("abcdefghij", minHealthPercent);
    for (const one of set.members.slice(0, ejected)) set.eject(one);
    assert.equal(set.mode, mode);
    assert.equal(set.candidates.length, mode === "panic" ? 10 : 10 - ejected);
  });
}

test("a set without members is in no panic", () => {
  const set = setOf("", 100);
  assert.deepEqual([set.mode, set.candidates.length], ["normal", 0]);
});

test("the least health can change", () => {
  const set = setOf("ab");
  for (const one of set.members) set.eject(one);
  assert.equal(set.candidates.length, 0);
  set.minHealthPercent = 1;
  assert.equal(set.candidates.length, 2);
});

const names = fc.array(fc.constantFrom(..."abcdef"), { maxLength: 8 });
const step = fc.oneof(
  fc.record({ what: fc.constant("update" as const), names }),
  fc.record({
    what: fc.constantFrom("eject" as const, "restore" as const, "take" as const, "give" as const),
    at: fc.nat(20),
  }),
  fc.record({ what: fc.constant("collect" as const) }),
);

test("whatever happens: candidates are serving members, and no count is lost", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.nat(100), (steps, minHealthPercent) => {
      const set = setOf("abc", minHealthPercent);
      const seen = new Set(set.members);
      const held: [BalancedEndpoint<Pod>, Ticket][] = [];
      for (const one of steps) {
        if (one.what === "update") set.update(one.names.map((name) => ({ name })));
        else if (one.what === "collect") {
          for (const drained of set.takeDrained()) {
            assert.deepEqual([drained.state, drained.requests.inUse], ["draining", 0]);
          }
        } else {
          const picked = [...seen][one.at % seen.size];
          assert.ok(picked);
          if (one.what === "eject") set.eject(picked);
          else if (one.what === "restore") set.restore(picked);
          else if (one.what === "take") {
            const ticket = new Ticket();
            picked.requests.take(ticket);
            held.push([picked, ticket]);
          } else for (const [, ticket] of held.splice(one.at, 1)) ticket.giveBack();
        }
        for (const each of set.members) seen.add(each);
        const ejected = set.members.filter(({ state }) => state === "ejected");
        assert.equal(set.ejectedCount, ejected.length);
        assert.ok(set.members.every(({ state }) => state !== "draining"));
        const expected = set.members.filter(
          ({ state }) => set.mode === "panic" || state === "serving",
        );
        assert.deepEqual(set.candidates, expected);
        for (const each of seen) {
          assert.equal(each.requests.inUse, held.filter(([owner]) => owner === each).length);
        }
      }
    }),
  );
});
