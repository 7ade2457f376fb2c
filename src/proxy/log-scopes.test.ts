import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { setLogLevel } from "./admin-routes.ts";
import { parseScopes } from "./log-scopes.ts";

const levels: readonly [text: string, scopes: readonly (readonly [string, string, string])[]][] = [
  ["rbac:debug", [["rbac", "debug", "debug"]]],
  ["rbac:trace", [["rbac", "debug", "trace"]]],
  ["rbac:warn", [["rbac", "warn", "warning"]]],
  [
    "rbac:off, http:warning",
    [
      ["rbac", "error", "off"],
      ["http", "warn", "warning"],
    ],
  ],
];
for (const [text, scopes] of levels) {
  test(`${text}: each scope has its level, ours and Envoy's`, () => {
    const parsed = parseScopes(text);
    assert.ok(typeof parsed !== "string", String(parsed));
    const told = parsed.map(({ scope, level, envoyLevel }) => [scope, level, envoyLevel]);
    assert.deepEqual(told, scopes);
  });
}

for (const text of [
  "",
  "rbac",
  "rbac:",
  ":debug",
  "rbac:loud",
  "a:b:debug",
  "a b:info",
  "a?b:info",
])
  test(`${JSON.stringify(text)} is no list of scopes`, () => {
    assert.match(String(parseScopes(text)), /expected SCOPE:LEVEL, where LEVEL is one of debug,/);
  });

const asked: readonly [scopes: string, status: number, level: string, said: RegExp][] = [
  ["default:debug", 200, "debug", /"default":\s*"debug"/],
  ["rbac:debug", 200, "info", /"rbac":\s*"always"/],
  ["default:error,default:warning", 200, "warn", /"level":\s*"warn"/],
  ["http:debug", 400, "info", /^no scope is called http; there is default, rbac$/m],
  ["default:debug,http:debug", 400, "info", /no scope is called http/],
  ["rbac:loud", 400, "info", /expected SCOPE:LEVEL/],
];
for (const [scopes, status, level, said] of asked) {
  test(`a sidecar that is asked for ${scopes} answers ${status}`, () => {
    const logLevel = new WatchedValue<"debug" | "info" | "warn" | "error">("info");
    const page = setLogLevel({ logLevel, log: silentLog }, new URLSearchParams({ scopes }));
    assert.equal(page.status, status);
    assert.match(String(page.body), said);
    assert.equal(logLevel.current, level);
  });
}
