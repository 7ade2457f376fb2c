import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import { chooseFilterChain } from "./filter-chain.ts";
import type { DetectedProtocol } from "./protocol-detection.ts";

const tls = (...applicationProtocols: string[]): DetectedProtocol => ({
  kind: "tls",
  hello: { applicationProtocols },
});
const clients: Readonly<Record<string, DetectedProtocol>> = {
  "mesh HTTP": tls("istio-http/1.1", "istio", "http/1.1"),
  "mesh TCP": tls("istio-peer-exchange", "istio"),
  "foreign TLS": tls("h2", "http/1.1"),
  "bare TLS": tls(),
  HTTP: { kind: "http" },
  bytes: { kind: "tcp" },
};

type Row = [id: string, MutualTlsMode, PortProtocol, Readonly<Record<string, string>>];
const rows: Row[] = [
  [
    "PA-30, PA-38",
    "PERMISSIVE",
    "auto",
    {
      "mesh HTTP": "http mutual-tls",
      "mesh TCP": "tcp mutual-tls",
      "foreign TLS": "tcp opaque-tls",
      "bare TLS": "tcp opaque-tls",
      HTTP: "http plaintext",
      bytes: "tcp plaintext",
    },
  ],
  [
    "PA-31",
    "PERMISSIVE",
    "http",
    {
      "mesh HTTP": "http mutual-tls",
      "mesh TCP": "http mutual-tls",
      "foreign TLS": "no-mesh-protocol",
      "bare TLS": "no-mesh-protocol",
      HTTP: "http plaintext",
      bytes: "http plaintext",
    },
  ],
  [
    "PA-32, PA-38",
    "PERMISSIVE",
    "tcp",
    {
      "mesh HTTP": "tcp mutual-tls",
      "mesh TCP": "tcp mutual-tls",
      "foreign TLS": "tcp opaque-tls",
      "bare TLS": "tcp opaque-tls",
      HTTP: "tcp plaintext",
      bytes: "tcp plaintext",
    },
  ],
  [
    "PA-33, PA-37, PA-39",
    "STRICT",
    "auto",
    {
      "mesh HTTP": "http mutual-tls",
      "mesh TCP": "tcp mutual-tls",
      "foreign TLS": "tcp mutual-tls",
      "bare TLS": "tcp mutual-tls",
      HTTP: "plaintext-refused",
      bytes: "plaintext-refused",
    },
  ],
  [
    "PA-34, PA-37",
    "STRICT",
    "http",
    {
      "mesh HTTP": "http mutual-tls",
      "mesh TCP": "http mutual-tls",
      "foreign TLS": "http mutual-tls",
      "bare TLS": "http mutual-tls",
      HTTP: "plaintext-refused",
      bytes: "plaintext-refused",
    },
  ],
  [
    "PA-35, PA-37",
    "STRICT",
    "tcp",
    {
      "mesh HTTP": "tcp mutual-tls",
      "mesh TCP": "tcp mutual-tls",
      "foreign TLS": "tcp mutual-tls",
      "bare TLS": "tcp mutual-tls",
      HTTP: "plaintext-refused",
      bytes: "plaintext-refused",
    },
  ],
  ...(["auto", "http", "tcp"] as const).map(
    (protocol): Row => [
      "PA-36",
      "DISABLE",
      protocol,
      {
        "mesh HTTP": "tls-refused",
        "mesh TCP": "tls-refused",
        "foreign TLS": "tls-refused",
        "bare TLS": "tls-refused",
        HTTP: protocol === "tcp" ? "tcp plaintext" : "http plaintext",
        bytes: protocol === "http" ? "http plaintext" : "tcp plaintext",
      },
    ],
  ),
];

for (const [id, mode, protocol, expected] of rows) {
  test(`${id}: the chains of ${mode} on a port declared ${protocol}`, () => {
    const chosen = Object.entries(clients).map(([name, detected]) => {
      const chain = chooseFilterChain({ mode, protocol }, detected);
      return [name, "refuse" in chain ? chain.refuse : `${chain.serve} ${chain.transport}`];
    });
    assert.deepEqual(Object.fromEntries(chosen), expected);
  });
}
