import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fieldName, fieldValue } from "../../http/field-ranges.ts";
import { RequestHead } from "../../http/http1/request-head.ts";
import { HeldFields } from "./held-fields.ts";
import { Http1Fields } from "./http1-fields.ts";
import { ReadyField } from "./ready-field.ts";

type Field = readonly [name: string, value: string];

function received(fields: readonly Field[]): HeldFields {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`, "latin1");
  const head = new RequestHead();
  assert.equal(head.scan(bytes, 0, bytes.length), bytes.length, head.problem.code);
  const view = new Http1Fields();
  view.show(head);
  const held = HeldFields.borrow();
  held.load(view);
  bytes.fill(0); // it was lent
  return held;
}

function listed(held: HeldFields): string[] {
  return Array.from({ length: held.count }, (_, index) => {
    const kept = held.goesOn(index) ? "" : " (stays here)";
    return `${fieldName(held, index)}: ${fieldValue(held, index)}${kept}`;
  });
}

test("what was received is judged, and less goes on (RFC 9110 section 7.6.1)", () => {
  const held = received([
    ["Connection", "close, X-Mine"],
    ["X-Mine", "1"],
    ["TE", "gzip"],
    ["X-Forwarded-For", "10.0.0.1"],
  ]);
  assert.deepEqual(listed(held), [
    "Host: a",
    "Connection: close, X-Mine (stays here)",
    "X-Mine: 1 (stays here)",
    "TE: gzip (stays here)",
    "X-Forwarded-For: 10.0.0.1",
  ]);
  assert.equal(held.get("x-mine"), "1");
  held.release();
});

test("a cookie that came in several fields is one, for policies and for the callee (RFC 9113 section 8.2.3)", () => {
  const held = received([
    ["Cookie", "a=1"],
    ["X-A", "1"],
    ["cookie", "b=2"],
    ["cookie", "c=3"],
    ["cookie", ""], // would end the value with a space, which HTTP/2 does not take
  ]);
  assert.equal(held.get("cookie"), "a=1; b=2; c=3");
  assert.deepEqual(listed(held), ["Host: a", "X-A: 1", "Cookie: a=1; b=2; c=3"]);
  held.add("x-b", "2");
  assert.deepEqual(listed(held), ["Host: a", "X-A: 1", "Cookie: a=1; b=2; c=3", "x-b: 2"]);
  held.release();
});

test("RFC 9110 section 7.6.1: what Connection names lets nobody in, and is asked by what keeps out", () => {
  const held = received([
    ["Connection", "close, X-Role"],
    ["Connection", "authorization"],
    ["X-Role", "admin"],
    ["Authorization", "Basic x"],
    ["X-Roles", "admin"],
  ]);
  assert.deepEqual([held.asked("x-role"), held.askedOfPassed("x-role")], ["admin", undefined]);
  assert.equal(held.askedOfPassed("authorization"), undefined);
  assert.equal(held.askedOfPassed("connection"), undefined);
  assert.equal(held.askedOfPassed("x-roles"), "admin");
  assert.equal(held.askedOfPassed("x-none"), undefined);
  held.release();
});

test("RFC 6265 section 5.4: lines of cookies in HTTP/1 are a list for rules, and go on as one; those that HTTP/2 cuts are one", () => {
  const lines: [string, string][] = [
    ["Cookie", "a=1"],
    ["cookie", "b=2"],
  ];
  const held = received(lines);
  assert.deepEqual([held.asked("cookie"), held.get("cookie")], ["a=1,b=2", "a=1; b=2"]);
  const again = HeldFields.borrow();
  again.load(held);
  assert.equal(again.asked("cookie"), "a=1; b=2");
  held.set("cookie", "c=3");
  assert.equal(held.asked("cookie"), "c=3");
  again.release();
  held.release();
});

test("AP-80: values of one name are joined; set replaces them all, remove takes them all", () => {
  const held = received([
    ["X-Team", "a"],
    ["Accept", "*/*"],
    ["x-team", "b"],
  ]);
  assert.equal(held.get("x-team"), "a,b");
  held.set("X-TEAM", "c");
  assert.deepEqual(listed(held), ["Host: a", "Accept: */*", "X-TEAM: c"]);
  held.remove("accept");
  assert.equal(held.get("accept"), undefined);
  held.release();
});

test("what is recycled knows nothing of its last request", () => {
  const first = received([["X-Secret", "s".repeat(3_000)]]);
  first.release();
  first.release(); // twice is once
  const [one, other] = [HeldFields.borrow(), HeldFields.borrow()];
  assert.notEqual(one, other);
  assert.deepEqual([one.count, one.get("x-secret")], [0, undefined]);
  for (const held of [one, other]) held.release();
});

test("as many fields as a head may have are held, and as many as the mesh adds behind them", () => {
  const many = Array.from({ length: 99 }, (_, index) => [`x-${index}`, `${index}`] as const);
  const held = received([...many.slice(0, 20), ["Connection", "x-0"], ...many.slice(20)]);
  assert.equal(held.count, 101);
  assert.deepEqual(listed(held).slice(-2), ["x-97: 97", "x-98: 98"]);
  assert.equal(listed(held)[1], "x-0: 0 (stays here)");
  for (let more = 101; more < 156; more++) held.add("x-more", `${more}`);
  assert.throws(() => held.add("x-more", "156"), RangeError);
  assert.throws(() => held.addReady(new ReadyField("x-more", "156")), RangeError);
  assert.equal(held.get("x-98"), "98");
  assert.equal(listed(held).at(-1), "x-more: 155");
  held.release();
});

test("memory is made for what is held, and little more", () => {
  const held = received([["X-Large", "v".repeat(50_000)]]);
  held.add("x-more", "of the mesh");
  held.add("x-much", "w".repeat(5_000));
  const { length } = held.bytes;
  assert.ok(length > 55_000 && length < 60_000, String(length));
  assert.equal(held.get("x-more"), "of the mesh");
  held.release();
});

test("those of a thousand requests at a time are kept, and no more memory than a few megabytes", () => {
  const thousand = Array.from({ length: 1_000 }, () => HeldFields.borrow());
  for (const held of thousand) held.release();
  const again = new Set(Array.from({ length: 1_000 }, () => HeldFields.borrow()));
  assert.equal(thousand.filter((held) => again.has(held)).length, 1_000);
  const large = [...again];
  for (const held of large) held.add("x-large", "v".repeat(10_000));
  for (const held of large) held.release();
  const kept = Array.from({ length: 1_000 }, () => HeldFields.borrow()).filter((held) =>
    again.has(held),
  );
  const octets = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert.ok(kept.length > 10 && octets <= 2 * 1024 * 1024, `${kept.length} of ${octets} octets`);
});

test("what could end a field is not added", () => {
  const held = HeldFields.borrow();
  for (const [name, value] of [
    ["x", "a\r\nb: c"],
    ["x y", "a"],
    ["x", "a\0"],
    ["x", "ż"],
  ] as const) {
    assert.throws(() => held.add(name, value), RangeError);
    assert.throws(() => new ReadyField(name, value), RangeError);
  }
  assert.equal(held.count, 0);
  held.release();
});

test("it answers as a list of fields would, whatever is set and removed", () => {
  const name = fc.constantFrom("a", "bb", "x-request-id", "user-agent", "X-Longer-Name");
  const value = fc.oneof(fc.constant(""), fc.stringMatching(/^[a-z0-9]{0,300}$/));
  const step = fc.oneof(
    fc.record({ set: name, value }),
    fc.record({ add: name, value }),
    fc.record({ ready: name, value }),
    fc.record({ remove: name }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const held = HeldFields.borrow();
      let model: Field[] = [];
      for (const one of steps) {
        const gone = "set" in one ? one.set : "remove" in one ? one.remove : undefined;
        if (gone !== undefined)
          model = model.filter(([n]) => n.toLowerCase() !== gone.toLowerCase());
        if ("set" in one) model.push([one.set, one.value]);
        if ("add" in one) model.push([one.add, one.value]);
        if ("ready" in one) model.push([one.ready, one.value]);
        if ("set" in one) held.set(one.set, one.value);
        else if ("add" in one) held.add(one.add, one.value);
        else if ("ready" in one) held.addReady(new ReadyField(one.ready, one.value));
        else held.remove(one.remove);
      }
      assert.deepEqual(
        listed(held),
        model.map(([n, v]) => `${n}: ${v}`),
      );
      for (const asked of ["a", "user-agent"]) assert.equal(held.isBlank(asked), !held.get(asked));
      held.release();
    }),
    { numRuns: 100 },
  );
});

test("what came as never indexed goes on so, wherever it has moved to (RFC 7541 section 6.2.3)", () => {
  const names = ["x-first", "x-secret", "x-other", "x-token"];
  const bytes = Buffer.from(names.map((name) => `${name}v`).join(""));
  const ranges = new Uint32Array(4 * names.length);
  let at = 0;
  for (const [index, { length }] of names.entries()) {
    ranges.set([at, at + length, at + length, at + length + 1], 4 * index);
    at += length + 1;
  }
  const fields = {
    ...{ bytes, ranges, count: names.length, ids: new Uint8Array(names.length) },
    sensitive: Uint8Array.of(0, 1, 0, 1),
    goesOn: () => true,
  };
  for (const apart of [0, 1]) {
    const held = HeldFields.borrow();
    held.load(apart === 0 ? fields : spread(fields));
    held.remove("x-first");
    held.set("x-other", "w");
    held.add("x-new", "v");
    const { sensitive, count } = held;
    assert.deepEqual(
      Array.from({ length: count }, (_, index) => [fieldName(held, index), sensitive[index]]),
      [
        ["x-secret", 1],
        ["x-token", 1],
        ["x-other", 0],
        ["x-new", 0],
      ],
    );
    held.release();
  }
});

/** The last value far behind the others, so that they are copied one by one. */
function spread<T extends { readonly bytes: Buffer; readonly ranges: Uint32Array }>(fields: T): T {
  const bytes = Buffer.concat([fields.bytes, Buffer.alloc(100_000, "v")]);
  const ranges = Uint32Array.from(fields.ranges);
  ranges.set([bytes.length - 1, bytes.length], ranges.length - 2);
  return { ...fields, bytes, ranges };
}
