import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldFields } from "../http/held-fields.ts";
import { callHasher, type HashInput } from "./call-hash.ts";
import { XxHash64 } from "./xx-hash-64.ts";

type Key = Parameters<typeof callHasher>[0];

const SOURCE = { address: "10.0.0.1", port: 4_000 };
const LOCAL = { address: "10.96.0.1", port: 80 };

function request(path: string, ...fields: [name: string, value: string][]): HashInput {
  const held = HeldFields.borrow();
  for (const [name, value] of fields) held.add(name, value);
  return { source: SOURCE, local: LOCAL, path, fields: held };
}
const TCP: HashInput = { source: SOURCE, local: LOCAL };

const textOf = (hash: { readonly high: number; readonly low: number } | undefined) =>
  hash && `${hash.high >>> 0} ${hash.low >>> 0}`;
const hashed = (text: string) => textOf(new XxHash64().ofText(text));
const hashOf = (key: Key, input: HashInput) => textOf(callHasher(key)(input).hash);

const user: Key = { from: "header", name: "x-user" };
const id: Key = { from: "query-parameter", name: "id" };
const plainCookie: Key = { from: "cookie", name: "user", path: "", attributes: [] };
const hashes: [name: string, key: Key, input: HashInput, text: string | undefined][] = [
  ["a header", user, request("/", ["X-User", "ann"]), "ann"],
  ["no header", user, request("/", ["x-users", "ann"]), undefined],
  ["no request", user, TCP, undefined],
  ["the caller's address, without its port", { from: "source-ip" }, TCP, "10.0.0.1"],
  ["a query parameter", id, request("/a?b=1&id=7&id=8"), "7"],
  ["an empty query parameter", id, request("/?id"), ""],
  ["a query parameter as it is written", id, request("/?id=%37"), "%37"],
  ["no query parameter", id, request("/id=7?aid=7"), undefined],
  ["no query", id, request("/"), undefined],
  ["nothing", { from: "nothing" }, request("/"), undefined],
  ["a cookie", plainCookie, request("/", ["cookie", "a=b; user=ann; user=bob"]), "ann"],
  ["a quoted cookie", plainCookie, request("/", ["cookie", 'user="ann"']), "ann"],
  [
    "a cookie in another field",
    plainCookie,
    request("/", ["cookie", "a=b"], ["cookie", "user=ann"]),
    "ann",
  ],
  ["no cookie", plainCookie, request("/", ["cookie", "xuser=ann"]), undefined],
  ["an empty cookie", plainCookie, request("/", ["cookie", "user="]), undefined],
];
for (const [name, key, input, text] of hashes) {
  test(`${key.from}: ${name}`, () => {
    assert.equal(hashOf(key, input), text === undefined ? undefined : hashed(text));
    assert.equal(callHasher(key)(input).setCookie, undefined);
  });
}

test("a header that is there twice is one hash, whatever the order", () => {
  const [ann, bob] = [["x-user", "ann"] as const, ["x-user", "bob"] as const];
  const both = hashOf(user, request("/", [...ann], [...bob]));
  assert.equal(hashOf(user, request("/", [...bob], [...ann])), both);
  assert.notEqual(both, hashed("ann"));
});

const cookies: [ttlSeconds: number, path: string, cookie: string][] = [
  [0, "", "; HttpOnly"],
  [60, "/a", "; Max-Age=60; Path=/a; HttpOnly"],
];
for (const [ttlSeconds, path, rest] of cookies) {
  test(`a call without its cookie is given one, and goes where it will bring the next: ttl ${ttlSeconds}`, () => {
    const hasher = callHasher({ ...plainCookie, path, ttlSeconds });
    const given = hasher(request("/"));
    const value = /^user="([0-9a-f]{16})"/.exec(given.setCookie ?? "")?.[1] ?? "";
    assert.equal(given.setCookie, `user="${value}"${rest}`);
    const first = textOf(given.hash);
    const next = hasher(request("/", ["cookie", `user="${value}"`]));
    assert.deepEqual([textOf(next.hash), next.setCookie], [first, undefined]);
    assert.equal(hasher(TCP).hash, undefined);
  });
}

test("attributes go into the cookie; what no field can carry gives none", () => {
  const lax = [
    { name: "SameSite", value: "Lax" },
    { name: "Secure", value: "" },
  ];
  const given = callHasher({ ...plainCookie, ttlSeconds: 0, attributes: lax })(request("/"));
  assert.match(given.setCookie ?? "", /"; SameSite=Lax; Secure; HttpOnly$/);
  const split = callHasher({ ...plainCookie, ttlSeconds: 0, path: "/\r\nX: y" })(request("/"));
  assert.deepEqual(split, { hash: undefined });
});
