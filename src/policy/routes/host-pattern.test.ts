import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commonHosts, fullHostName, isWithin } from "./host-pattern.ts";

const label = fc.constantFrom("a", "b", "shop");
const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const pattern = fc.oneof(
  name,
  name.map((one) => `*.${one}`),
  fc.constant("*"),
);
const patterns = fc.array(pattern, { maxLength: 6 });

test("law: what is common to both is what each of one and each of the other have in common", () => {
  fc.assert(
    fc.property(patterns, patterns, (some, others) => {
      const pairs = some.flatMap((one) =>
        others.flatMap((other) => {
          if (isWithin(one, other)) return [one];
          return isWithin(other, one) ? [other] : [];
        }),
      );
      assert.deepEqual([...commonHosts(some, others)].sort(), [...new Set(pairs)].sort());
    }),
  );
});

test("thousands of hosts on both sides are no trouble", () => {
  const hosts = Array.from({ length: 20_000 }, (_, index) => `h${index}.example.com`);
  const before = performance.now();
  assert.equal(commonHosts(hosts, [...hosts, "*.example.com"]).length, hosts.length);
  assert.ok(performance.now() - before < 5_000);
});

test("a name without a dot is a service of the namespace", () => {
  assert.equal(fullHostName("API", "shop"), "api.shop.svc.cluster.local");
  assert.deepEqual(
    ["*", "A.b", ""].map((host) => fullHostName(host, "shop")),
    ["*", "a.b", ""],
  );
});
