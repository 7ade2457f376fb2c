import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewayAddress } from "../local/gateway-addresses.ts";
import { formatGatewayAddress } from "./format-gateway-address.ts";

const at = (port: number) => ({ address: "127.0.0.1", port });
const https = { speaks: "https", port: 443, listen: at(443), hosts: ["a.example.com"] } as const;

const cases: readonly (readonly [address: GatewayAddress, line: string])[] = [
  [https, "https://a.example.com at 127.0.0.1:443 (curl --resolve a.example.com:443:127.0.0.1)"],
  [
    { ...https, listen: at(20443) },
    "https://a.example.com:20443 at 127.0.0.1:20443 (curl --resolve a.example.com:20443:127.0.0.1)",
  ],
  [
    { ...https, hosts: ["*.example.com", "a.example.com"] },
    "https://*.example.com, https://a.example.com at 127.0.0.1:443 (curl --resolve a.example.com:443:127.0.0.1)",
  ],
  [
    { ...https, problem: "there is no Secret" },
    "https://a.example.com at 127.0.0.1:443, but it refuses all handshakes: there is no Secret",
  ],
  [
    { ...https, notOffered: "listen EADDRINUSE" },
    "https://a.example.com to pods alone: this machine does not offer it at 127.0.0.1:443: listen EADDRINUSE",
  ],
  [{ ...https, speaks: "tcp", hosts: [] }, "tcp://*:443 at 127.0.0.1:443"],
  [{ ...https, speaks: "http", listen: at(80), hosts: ["*"] }, "http://* at 127.0.0.1:80"],
];
for (const [address, line] of cases)
  test(line, () => assert.equal(formatGatewayAddress(address), line));
