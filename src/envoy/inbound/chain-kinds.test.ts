import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortProtocol } from "../../api/service.ts";
import type { MutualTlsMode } from "../../policy/decision.ts";
import { chainKinds, inspectionOf } from "./chain-kinds.ts";

const PORTS: readonly [MutualTlsMode, PortProtocol, rule: string, ways: string, looks: string][] = [
  ["PERMISSIVE", "auto", "PA-30", "mesh-http plain-http mesh-tcp plain-tcp other-tls", "tls http"],
  ["PERMISSIVE", "http", "PA-31", "mesh-http plain-http", "tls"],
  ["PERMISSIVE", "http2", "PA-31", "mesh-http plain-http", "tls"],
  ["PERMISSIVE", "tcp", "PA-32", "mesh-tcp other-tls plain-tcp", "tls"],
  ["STRICT", "auto", "PA-33", "mesh-http mesh-tcp", "tls"],
  ["STRICT", "http", "PA-34", "mesh-http", "tls"],
  ["STRICT", "tcp", "PA-35", "mesh-tcp", "tls"],
  ["DISABLE", "http", "PA-36", "plain-http", "tls"],
  ["DISABLE", "tcp", "PA-36", "plain-tcp", ""],
  ["DISABLE", "auto", "PA-36", "plain-http plain-tcp mesh-refused other-tls", "tls http"],
];

for (const [mode, protocol, rule, ways, looks] of PORTS) {
  test(`${rule}: ${mode} on a port of ${protocol} has the chains ${ways}`, () => {
    const names = chainKinds(mode, protocol).map(({ name }) => name);
    assert.equal(names.join(" "), ways);
  });

  test(`PA-41: ${mode} on a port of ${protocol} looks for ${looks || "nothing"}`, () => {
    const { tls, http } = inspectionOf(mode, protocol);
    assert.equal([...(tls ? ["tls"] : []), ...(http ? ["http"] : [])].join(" "), looks);
  });
}

test("PA-38: under PERMISSIVE only callers that name a protocol of the mesh have TLS taken off", () => {
  for (const protocol of ["http", "tcp", "auto"] as const) {
    for (const { transport, match } of chainKinds("PERMISSIVE", protocol)) {
      if (transport !== "mesh-tls") continue;
      assert.ok(match.applicationProtocols?.every((name) => name.startsWith("istio")));
    }
  }
});
