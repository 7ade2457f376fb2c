import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortProtocol } from "../api/service.ts";
import { chooseOutboundChain, outboundDetector } from "./outbound-chain.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const GET = "GET / HTTP/1.1\r\n";
const TLS = "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";

const rows: [protocol: PortProtocol, bytes: string, served: string | undefined][] = [
  ["http", GET, "HTTP/1"],
  ["http", PREFACE, "HTTP/2"],
  ["http", PREFACE.slice(0, 20), undefined],
  ["http", TLS, "HTTP/1"],
  ["http", "\x01", "HTTP/1"],
  ["http2", GET, "HTTP/1"],
  ["http2", PREFACE, "HTTP/2"],
  ["http2", "P", undefined],
  ["http2", "\x01", "HTTP/2"],
  ["http2", "INVALID CONNECTION PREFACE\r\n", "HTTP/2"],
  ["http2", "INVALID CONN", undefined],
  ["http2", "FETCH / HTTP/1.1\r\n", "HTTP/1"],
  ["auto", GET, "HTTP/1"],
  ["auto", PREFACE, "HTTP/2"],
  ["auto", PREFACE.slice(0, 20), undefined],
  ["auto", TLS, "tcp"],
  ["auto", "\x01", "tcp"],
];
for (const [protocol, bytes, served] of rows) {
  test(`PA-41: ${JSON.stringify(bytes)} to a port declared ${protocol}: ${served ?? "more is needed"}`, () => {
    const detected = outboundDetector(protocol)?.(Buffer.from(bytes, "latin1"));
    if (detected === undefined) return assert.equal(undefined, served);
    const chain = chooseOutboundChain(protocol, detected);
    assert.equal(chain.serve === "http" ? chain.http : "tcp", served);
  });
}

test("PA-41: to a port declared tcp nothing is waited for, and nothing is looked into", () => {
  assert.equal(outboundDetector("tcp"), undefined);
  for (const kind of ["http", "http2", "tcp"] as const) {
    assert.deepEqual(chooseOutboundChain("tcp", { kind }), { serve: "tcp" });
  }
});

test("an application that ended before anything was known", () => {
  const chains = (["http", "http2", "auto"] as const).map((protocol) =>
    chooseOutboundChain(protocol, { kind: "tcp" }),
  );
  assert.deepEqual(chains, [
    { serve: "http", http: "HTTP/1" },
    { serve: "http", http: "HTTP/1" },
    { serve: "tcp" },
  ]);
});
