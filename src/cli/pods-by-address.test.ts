import assert from "node:assert/strict";
import { test } from "node:test";
import { podsByAddress } from "./pods-by-address.ts";

const podAt = podsByAddress([
  {
    namespace: "legacy",
    name: "cron-0",
    addresses: { ipv4: "10.244.0.7", ipv6: "fd00:10:244::7" },
  },
  { namespace: "shop", name: "api-0" },
]);

const callers: readonly [remote: string, pod: string | undefined][] = [
  ["10.244.0.7:54488", "legacy/cron-0"],
  ["[fd00:10:244::7]:54488", "legacy/cron-0"],
  ["10.244.0.1:54488", undefined],
  ["127.0.0.1:54488", undefined],
  ["", undefined],
];
for (const [remote, pod] of callers) {
  test(`whoever calls from ${JSON.stringify(remote)} is ${pod ?? "nobody known"}`, () => {
    assert.equal(podAt(remote), pod);
  });
}
