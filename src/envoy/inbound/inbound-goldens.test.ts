/** What a callee's Envoy is told, as YAML to be read; `UPDATE_GOLDEN=1` writes it anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { richInbound } from "../../../test/kit/rich-inbound.ts";
import type { PortProtocol } from "../../api/service.ts";
import { yamlText } from "../../api/yaml-text.ts";
import type { MutualTlsMode } from "../../policy/decision.ts";
import { discoveredAuthorization } from "../authorization-filters.ts";
import { inboundListeners } from "./inbound-listeners.ts";

const SETTINGS = { version: "1.40.0", connectionAgeSeconds: 3_600 };

const GOLDENS: readonly [file: string, MutualTlsMode, PortProtocol][] = [
  ["inbound-http.yaml", "PERMISSIVE", "http"],
  ["inbound-bytes.yaml", "STRICT", "tcp"],
];

for (const [file, mode, protocol] of GOLDENS) {
  test(`the listener of a port of ${protocol} under ${mode}, with all that it can have`, () => {
    const view = richInbound();
    const ports = view.inbound.ports.filter(
      (port) => port.mutualTls.mode === mode && port.protocol === protocol,
    );
    const { listeners } = inboundListeners(
      { ...view, inbound: { ...view.inbound, ports } },
      SETTINGS,
      discoveredAuthorization(view, SETTINGS),
    );
    const text = yamlText(JSON.parse(JSON.stringify(listeners, withoutRules)));
    const path = `test/goldens/envoy/${file}`;
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(path, text);
    assert.equal(text, readFileSync(path, "utf8"));
  });
}

/** How rules are written is for the goldens of authorization to say. */
const RULES: ReadonlySet<string> = new Set(["matcher", "shadowMatcher", "shadowRules"]);

function withoutRules(name: string, value: unknown): unknown {
  if (name === "judgedBy") return "(hash)";
  const isRules = RULES.has(name) && typeof value === "object" && value !== null;
  return isRules && !("prefix" in value) ? "(rules)" : value;
}
