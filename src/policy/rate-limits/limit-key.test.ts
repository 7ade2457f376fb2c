import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSpiffeId } from "../../identity/spiffe-id.ts";
import type { TokenPayload } from "../traffic.ts";
import type { Traffic } from "../traffic-attribute.ts";
import { LimitKey } from "./limit-key.ts";

const PRINCIPAL = "spiffe://cluster.local/ns/shop/sa/web";

function request({
  headers = {},
  token,
  principal = PRINCIPAL,
}: {
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: TokenPayload;
  readonly principal?: string | undefined;
} = {}): Traffic {
  return {
    connection: {
      ...(principal !== "" && { principal: parseSpiffeId(principal) }),
      sourceAddress: "10.0.0.7",
      sourcePort: 1,
      destinationAddress: "10.0.0.8",
      destinationPort: 8080,
    },
    remoteAddress: "192.0.2.1",
    method: "POST",
    path: "/orders/7?a=b",
    authority: "Shop.Example:8080",
    ...(token && { token }),
    header: (name) => headers[name],
  };
}

const readings: [name: string, traffic: Traffic, value: string, told: string | undefined][] = [
  ["source.principal", request(), PRINCIPAL, "cluster.local/ns/shop/sa/web"],
  ["source.namespace", request(), "shop", "shop"],
  ["source.serviceAccount", request(), "shop/web", "shop/web"],
  ["source.ip", request(), "10.0.0.7", "10.0.0.7"],
  ["remote.ip", request(), "192.0.2.1", "192.0.2.1"],
  ["destination.port", request(), "8080", "8080"],
  ["request.path", request(), "/orders/7", "/orders/7"],
  ["request.method", request(), "POST", "POST"],
  ["request.host", request(), "shop.example", "shop.example"],
  [
    "request.headers[X-User]",
    request({ headers: { "x-user": "me" } }),
    "me",
    "sha256:2744ccd10c75",
  ],
  ["request.auth.claims[sub]", request({ token: { sub: "me" } }), "me", "sha256:2744ccd10c75"],
  ["request.auth.claims[a][b]", request({ token: { a: { b: 7 } } }), "7", "sha256:7902699be42c"],
  ["source.principal", request({ principal: "" }), "", undefined],
  ["source.namespace", request({ principal: "" }), "", undefined],
  ["request.headers[x-user]", request(), "", undefined],
  ["request.headers[x-user]", request({ headers: { "x-user": "" } }), "", undefined],
  ["request.auth.claims[a][b]", request({ token: { a: "b" } }), "", undefined],
  ["request.auth.claims[a]", request({ token: { a: null } }), "", undefined],
  ["request.auth.claims[constructor]", request({ token: {} }), "", undefined],
];
for (const [name, traffic, value, told] of readings) {
  test(`${name} is ${JSON.stringify(value)}, told as ${told}`, () => {
    const key = new LimitKey([name]);
    assert.equal(key.of(traffic), value);
    assert.deepEqual(key.parts(traffic), [told === undefined ? { name } : { name, value: told }]);
  });
}

const hosts: [authority: string, value: string][] = [
  ["shop.example", "shop.example"],
  ["SHOP.Example", "shop.example"],
  ["shop.example:80", "shop.example"],
  ["shop.example:", "shop.example"],
  ["shop.example.", "shop.example"],
  ["shop.example..:00080", "shop.example"],
  ["shop.example:http", "shop.example:http"],
  ["[2001:DB8::1]:443", "[2001:db8::1]"],
  ["[2001:db8::1]", "[2001:db8::1]"],
  ["...", ""],
];
for (const [authority, value] of hosts) {
  test(`request.host of ${authority} is ${JSON.stringify(value)}`, () =>
    assert.equal(new LimitKey(["request.host"]).of({ ...request(), authority }), value));
}

test("the header of that name is the host, however it is written", () => {
  assert.equal(new LimitKey(["request.headers[Host]"]).of(request()), "shop.example");
});

test("a host of nothing but dots costs no time", () => {
  const authority = `${".".repeat(60_000)}x`;
  const startedAt = performance.now();
  assert.ok(new LimitKey(["request.host"]).of({ ...request(), authority }).length < 256);
  assert.ok(performance.now() - startedAt < 100);
});

test("who lacks all of a key shares one bucket, and who lacks a part shares with whom lacks the same", () => {
  const key = new LimitKey(["source.principal", "request.headers[x]"]);
  const nobody = request({ principal: "" });
  assert.equal(key.of(nobody), "");
  assert.equal(key.of(request()), key.of(request({ headers: { x: "" } })));
  assert.notEqual(key.of(request()), key.of(nobody));
});

test("law: no two requests have one key unless all parts are the same, and none is longer than its bound", () => {
  const key = new LimitKey(["request.headers[a]", "request.headers[b]"]);
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom("", "1:", "0:", "2:1:"),
    fc.string({ minLength: 200, maxLength: 400 }),
  );
  fc.assert(
    fc.property(value, value, value, value, (a, b, c, d) => {
      const [one, other] = [request({ headers: { a, b } }), request({ headers: { a: c, b: d } })];
      assert.equal(key.of(one) === key.of(other), a === c && b === d);
      assert.ok(key.of(one).length <= 256);
    }),
  );
});
