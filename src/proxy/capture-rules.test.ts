import assert from "node:assert/strict";
import { isIPv4, SocketAddress as NodeAddress } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { type Capture, inboundProblem, outboundProblem } from "./capture-rules.ts";

const POD = { ipv4: "10.244.0.5", ipv6: "fd00:10:244::5" };
const capture: Capture = {
  outboundPort: 25_001,
  inboundPort: 25_006,
  dnsPort: 25_053,
  adminPort: 25_000,
  podAddresses: POD,
  dnsUpstream: { address: "10.244.0.1", port: 53 },
  mark: 1337,
};
const OWN_PORTS = [25_000, 25_001, 25_006, 25_053];
const RESERVED = [15_000, 15_001, 15_004, 15_006, 15_008, 15_020, 15_021, 15_053, 15_090];

for (const address of [POD.ipv4, POD.ipv6, "FD00:10:244:0::5", `::ffff:${POD.ipv4}`]) {
  test(`PA-40 called at ${address}: the sidecar's own ports are closed, all others served`, () => {
    for (const port of [...OWN_PORTS, ...RESERVED]) {
      assert.equal(inboundProblem({ address, port }, capture), "the port is the sidecar's own");
      assert.equal(outboundProblem({ address, port }, capture), "the port is the sidecar's own");
    }
    for (const port of [1, 80, 8080, 15_002, 65_535]) {
      assert.equal(inboundProblem({ address, port }, capture), undefined);
      assert.equal(outboundProblem({ address, port }, capture), undefined);
    }
  });
}

for (const address of ["127.0.0.1", "::1", "10.244.0.6", "10.96.0.7", "fe80::1", "nonsense", ""]) {
  test(`nobody else's connections are served: ${address}`, () => {
    assert.equal(inboundProblem({ address, port: 8080 }, capture), "it was not opened to this pod");
  });
}

for (const address of [
  "127.0.0.1",
  "127.255.0.6",
  "0.0.0.0",
  "0.1.2.3",
  "::1",
  "::",
  "::6",
  "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:0.0.0.0",
  "::127.0.0.1",
  "::7f00:1",
  "nonsense",
  "",
]) {
  test(`nothing is passed through to ${address}`, () => {
    const problem = outboundProblem({ address, port: 5432 }, capture);
    assert.equal(problem, "it leads to the pod's own loopback");
  });
}

for (const address of [
  "10.244.0.6",
  "10.96.0.7",
  "198.51.100.7",
  "2001:db8::1",
  "1::",
  "::1:2:3",
]) {
  test(`the sidecar's ports are anybody's at other addresses: ${address}`, () => {
    for (const port of [...OWN_PORTS, ...RESERVED, 80]) {
      assert.equal(outboundProblem({ address, port }, capture), undefined);
    }
  });
}

test("whatever notation: what the kernel keeps on this machine is never passed through", () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const loopback = fc.tuple(fc.constantFrom(0, 127), byte, byte, byte);
  const notation = fc.constantFrom("", "::ffff:", "0:0:0:0:0:FFFF:", "::");
  fc.assert(
    fc.property(loopback, notation, fc.integer({ min: 1, max: 65_535 }), (bytes, prefix, port) => {
      const address = `${prefix}${bytes.join(".")}`;
      const family = isIPv4(address) ? "ipv4" : "ipv6";
      const canonical = new NodeAddress({ address, family }).address;
      for (const written of [address, canonical]) {
        assert.notEqual(outboundProblem({ address: written, port }, capture), undefined);
        assert.notEqual(inboundProblem({ address: written, port }, capture), undefined);
      }
    }),
  );
});
