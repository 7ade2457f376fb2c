import assert from "node:assert/strict";
import { test } from "node:test";
import { composeDnsReply, parseDnsQuery } from "./dns-message.ts";
import { lookUpBy, lookUpByMachine } from "./name-lookup.ts";

type Records = Readonly<Partial<Record<"A" | "AAAA", readonly string[]>>>;

/** A name server that knows these addresses. */
function server(records: Records | "silent") {
  return {
    ask: async (message: Buffer): Promise<Buffer | undefined> => {
      const query = parseDnsQuery(message);
      if (records === "silent" || query === "ignore" || "faulty" in query) return undefined;
      const type = query.type === "AAAA" ? "AAAA" : "A";
      const known = (records[type] ?? []).map((address) => ({ type, address }) as const);
      return composeDnsReply(query, { code: "NOERROR", records: known }, { ttlSeconds: 7 });
    },
  };
}

const found: readonly [name: string, records: Records, addresses: readonly string[]][] = [
  ["IPv4, in one order", { A: ["192.0.2.2", "192.0.2.1"] }, ["192.0.2.1", "192.0.2.2"]],
  ["IPv4 before IPv6", { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] }, ["192.0.2.1"]],
  ["IPv6 where there is no other", { AAAA: ["2001:db8::1"] }, ["2001:db8::1"]],
  ["without where clouds tell secrets", { A: ["169.254.169.254", "192.0.2.1"] }, ["192.0.2.1"]],
];
for (const [name, records, addresses] of found) {
  test(`a host's addresses: ${name}`, async () => {
    assert.deepEqual(await lookUpBy(server(records))("api.example"), { addresses, ttlMs: 7_000 });
  });
}

const missing: readonly [name: string, records: Records | "silent", problem: RegExp][] = [
  ["no address", {}, /"api\.example" has no address/],
  ["metadata alone", { A: ["169.254.169.254"] }, /leads to 169\.254\.169\.254, where no name may/],
  ["an address mapped into IPv6", { AAAA: ["::ffff:169.254.169.254"] }, /where no name may lead/],
  ["Azure's", { A: ["168.63.129.16"] }, /leads to 168\.63\.129\.16, where no name may/],
  ["Alibaba's", { A: ["100.100.100.200"] }, /where no name may lead/],
  ["Google's, by IPv6", { AAAA: ["fd20:ce::254"] }, /where no name may lead/],
  ["behind NAT64", { AAAA: ["64:ff9b::a9fe:a9fe"] }, /where no name may lead/],
  ["by 6to4", { AAAA: ["2002:a9fe:a9fe::1"] }, /where no name may lead/],
  ["compatible", { AAAA: ["::a9fe:a9fe"] }, /where no name may lead/],
  ["to all", { A: ["255.255.255.255"] }, /where no name may lead/],
  ["the pod's own loopback", { A: ["127.0.0.1"] }, /leads to 127\.0\.0\.1, where no name may/],
  ["the same, by IPv6", { AAAA: ["::1", "::7f00:1"] }, /where no name may lead/],
  ["no server", "silent", /no name server answers for "api\.example"/],
];
for (const [name, records, problem] of missing) {
  test(`a host is not found: ${name}`, async () => {
    await assert.rejects(lookUpBy(server(records))("api.example"), problem);
  });
}

test("on loopback, where all pods are on the machine, a name may lead to it", async () => {
  assert.deepEqual((await lookUpByMachine("127.0.0.1")).addresses, ["127.0.0.1"]);
  assert.deepEqual((await lookUpByMachine("::1")).addresses, ["::1"]);
  await assert.rejects(lookUpByMachine("2852039166"), /leads to 169\.254\.169\.254, where no name/);
});
