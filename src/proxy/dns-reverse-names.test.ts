import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleDestination } from "../../test/kit/sample-destination.ts";
import { POD_RANGES, SERVICE_RANGES } from "../local/network/mesh-ranges.ts";
import { reverseName, reverseNamesOf, reverseZoneOf } from "./dns-reverse-names.ts";

for (const { ipv4, ipv6 } of [POD_RANGES, SERVICE_RANGES]) {
  for (const range of [ipv4, ipv6]) {
    test(`reverse names of ${range} are the mesh's, and those beside it are not`, () => {
      const { inside, beside } = addressesOf(range);
      assert.ok(reverseZoneOf(reverseName(inside) ?? ""));
      assert.equal(reverseZoneOf(reverseName(beside) ?? ""), undefined);
    });
  }
}

/** The last address of a range, and the first after it. */
function addressesOf(range: string): { readonly inside: string; readonly beside: string } {
  const [network = "", length] = range.split("/");
  if (length === "16") {
    const [first, second = ""] = network.split(".");
    return { inside: `${first}.${second}.255.255`, beside: `${first}.${Number(second) + 1}.0.0` };
  }
  if (length === "64")
    return { inside: `${network}ffff:ffff:ffff:ffff`, beside: `${network.slice(0, -1)}1::` };
  return { inside: `${network}ffff`, beside: `${network}1:0` };
}

test("service addresses lead to the service, whatever the port; pods to their own name", () => {
  const service = { service: "shop/api", addresses: ["10.96.0.7", "fd00:10:96::7"], endpoints: [] };
  const headless = sampleDestination({
    service: "shop/db",
    port: 5432,
    addresses: [],
    endpoints: [],
  });
  const endpoint = {
    workload: "db-0",
    address: { address: "10.244.0.9", port: 5432 },
    podAddresses: ["10.244.0.9", "fd00:10:244::9"],
    mutualTls: false,
  };
  const names = reverseNamesOf([
    sampleDestination({ ...service, port: 80 }),
    sampleDestination({ ...service, port: 443 }),
    { ...headless, endpoints: [{ ...endpoint, hostname: "db-0" }] },
    sampleDestination({ service: "shop/web", port: 80, endpoints: [endpoint.address] }),
  ]);
  const digits = (last: string, subnet: string): string =>
    `${last}.${"0.".repeat(15)}${"0.".repeat(4)}${subnet}.0.1.0.0.0.0.d.f.ip6.arpa`;
  assert.deepEqual(Object.fromEntries(names), {
    "7.0.96.10.in-addr.arpa": "api.shop.svc.cluster.local",
    [digits("7", "6.9.0.0")]: "api.shop.svc.cluster.local",
    "9.0.244.10.in-addr.arpa": "db-0.db.shop.svc.cluster.local",
    [digits("9", "4.4.2.0")]: "db-0.db.shop.svc.cluster.local",
  });
});
