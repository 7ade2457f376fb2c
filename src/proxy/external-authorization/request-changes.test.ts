import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldValue } from "../../http/field-ranges.ts";
import { HeldFields } from "../http/held-fields.ts";
import { NO_CHANGES, type RequestChanges } from "./authorizer-verdict.ts";
import { type FieldChange, isOwnName } from "./field-changes.ts";
import { headerPatterns } from "./header-patterns.ts";
import { applyToRequest } from "./request-changes.ts";

function changed(path: string, changes: Partial<RequestChanges>) {
  const exchange = { path, headers: HeldFields.borrow(), reservedNames: [] };
  applyToRequest(exchange, { ...NO_CHANGES, ...changes });
  return exchange;
}

const queries: [path: string, set: [string, string][], remove: string[], result: string][] = [
  ["/a", [["x", "1"]], [], "/a?x=1"],
  ["/a?", [["x", "1"]], [], "/a?x=1"],
  ["/a?x=0&y=2&x=3", [["x", "1"]], [], "/a?y=2&x=1"],
  ["/a?%78=0&y", [["x", "1"]], [], "/a?y&x=1"],
  ["/a?x+y=0", [["x y", "ü"]], [], "/a?x%20y=%C3%BC"],
  ["/a?x=1", [], ["x"], "/a"],
  ["/a?x=1&y=%zz&%zz=2", [], ["x"], "/a?y=%zz&%zz=2"],
  [
    "/a?x=1",
    [
      ["x", "1"],
      ["x", "2"],
    ],
    [],
    "/a?x=2",
  ],
  ["/a", [["x", "1"]], ["x"], "/a"],
];
for (const [path, setQuery, removeQuery, result] of queries) {
  test(`EA-28: ${path} becomes ${result}`, () => {
    assert.equal(changed(path, { setQuery, removeQuery }).path, result);
  });
}

test("half a character is no parameter", () => {
  assert.throws(() => changed("/a", { setQuery: [["x", "\ud800"]] }), RangeError);
});

test("several authorizers may add to the answer, and what does not fit does not break it", () => {
  const exchange: Parameters<typeof applyToRequest>[0] = {
    path: "/",
    headers: HeldFields.borrow(),
    reservedNames: [],
    changeAnswer: undefined,
  };
  for (const name of ["x-a", "x-b"])
    applyToRequest(exchange, {
      ...NO_CHANGES,
      answerFields: [{ name, value: "1", how: "add" }],
    });
  const answer = HeldFields.borrow();
  exchange.changeAnswer?.(answer);
  assert.deepEqual([answer.get("x-a"), answer.get("x-b")], ["1", "1"]);
  for (let full = false; !full; ) {
    try {
      answer.add("x-full", "1");
    } catch {
      full = true;
    }
  }
  assert.doesNotThrow(() => exchange.changeAnswer?.(answer));
});

const presence: [how: FieldChange["how"], goingOn: string[], staying: string[], told: string[]][] =
  [
    ["append", ["a", "b"], ["evil"], ["a,b,new"]],
    ["append", [], ["evil"], ["new"]],
    ["add if absent", ["a"], [], ["a"]],
    ["add if absent", [], ["evil"], ["new"]],
    ["overwrite if present", ["a"], ["evil"], ["new"]],
    ["overwrite if present", [], ["evil"], []],
  ];
for (const [how, goingOn, staying, told] of presence) {
  test(`EA-28: ${how}, of [${goingOn}], and of [${staying}] that stays at this hop`, () => {
    const headers = HeldFields.borrow();
    for (const value of [...staying, ...goingOn]) headers.add("x-user", value);
    for (let index = 0; index < staying.length; index++) headers.leaveOut(index);
    const exchange = { path: "/", headers, reservedNames: [] };
    const fields = [{ name: "x-user", value: "new", how }];
    applyToRequest(exchange, { ...NO_CHANGES, fields });
    assert.deepEqual(
      Array.from({ length: headers.count }, (_, index) => index)
        .filter((index) => headers.goesOn(index))
        .map((index) => fieldValue(headers, index)),
      told,
    );
  });
}

const patterns: [pattern: string, matching: string[], others: string[]][] = [
  ["X-User", ["x-user"], ["x-user-id", "ax-user"]],
  ["x-*", ["x-", "x-user"], ["ax-user"]],
  ["*-ID", ["x-id", "-id"], ["x-id2"]],
];
for (const [pattern, matching, others] of patterns) {
  test(`EA-11: ${pattern} in any letter case`, () => {
    const matches = headerPatterns([pattern]);
    assert.deepEqual(
      matching.map(matches),
      matching.map(() => true),
    );
    assert.deepEqual(
      others.map(matches),
      others.map(() => false),
    );
  });
}

test("framing, routing, hops and identity are nobody's to write but ours", () => {
  const own = [":path", "host", "content-length", "transfer-encoding", "x-envoy-internal"];
  assert.deepEqual(
    own.filter((name) => !isOwnName(name)),
    [],
  );
  assert.deepEqual(["x-user", "authorization", "cookie"].filter(isOwnName), []);
});
