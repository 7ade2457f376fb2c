import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressAllocator } from "./address-allocator.ts";

test("pods and services have ranges of their own, and both families end alike", () => {
  const allocator = new AddressAllocator();
  assert.deepEqual(allocator.podAddresses("a/one"), { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" });
  assert.deepEqual(allocator.serviceAddresses("a/one"), {
    ipv4: "10.96.0.2",
    ipv6: "fd00:10:96::2",
  });
  assert.equal(allocator.podAddresses("a/two").ipv4, "10.244.0.3");
});

test("a key keeps its address as long as it is retained", () => {
  const allocator = new AddressAllocator();
  const first = allocator.podAddresses("a/one");
  const service = allocator.serviceAddresses("a/api");
  allocator.podAddresses("a/two");
  allocator.retain({ pods: ["a/one"], services: ["a/api"] });
  assert.deepEqual(allocator.podAddresses("a/one"), first);
  assert.deepEqual(allocator.serviceAddresses("a/api"), service);
});

test("an address given back is not given again at once", () => {
  const allocator = new AddressAllocator();
  const first = allocator.podAddresses("a/one");
  allocator.retain({ pods: [], services: [] });
  assert.notDeepEqual(allocator.podAddresses("a/two"), first);
  assert.notDeepEqual(allocator.podAddresses("a/one"), first);
});

test("the range begins anew when all were given, and passes over those that are held", () => {
  const allocator = new AddressAllocator();
  assert.equal(allocator.podAddresses("held").ipv4, "10.244.0.2");
  for (let round = 0; round < 65_532; round++) allocator.podAddresses(`pod-${round}`);
  allocator.retain({ pods: ["held"], services: [] });
  assert.equal(allocator.podAddresses("next").ipv4, "10.244.0.3");
});

test("the last address is never everybody's, and then none is left", () => {
  const allocator = new AddressAllocator();
  const all = Array.from({ length: 65_533 }, (_, index) => allocator.podAddresses(`${index}`).ipv4);
  assert.equal(all.at(-1), "10.244.255.254");
  assert.equal(new Set(all).size, all.length);
  assert.throws(() => allocator.podAddresses("one more"), { code: "HAUBERK_FABRIC" });
});

test("no two keys that are held share an address", () => {
  const step = fc.record({ wanted: fc.nat(20), kept: fc.array(fc.nat(20), { maxLength: 10 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const allocator = new AddressAllocator();
      const held = new Map<string, string>();
      for (const { wanted, kept } of steps) {
        held.set(String(wanted), allocator.podAddresses(String(wanted)).ipv4);
        const stay = new Set(kept.map(String));
        allocator.retain({ pods: stay, services: [] });
        for (const key of held.keys()) if (!stay.has(key)) held.delete(key);
        assert.equal(new Set(held.values()).size, held.size);
        for (const [key, address] of held) assert.equal(allocator.podAddresses(key).ipv4, address);
      }
    }),
  );
});
