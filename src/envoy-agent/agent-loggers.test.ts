import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type LogLevel, silentLog } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { agentAnswers } from "./agent-answers.ts";
import { EnvoyAdmin } from "./envoy-admin.ts";

/** As Envoy prints them. */
const LOGGERS = "active loggers:\n  admin: warning\n  conn_handler: warning\n  rbac: warning\n";

/** The administration of an Envoy that tells its loggers, and of its agent. */
async function staged(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const socket = join(folder, "envoy.sock");
  const asked: string[] = [];
  const envoy = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.end(LOGGERS);
  });
  await new Promise<void>((resolve) => envoy.listen(socket, resolve));
  context.after(async () => {
    envoy.close();
    await rm(folder, { recursive: true });
  });
  const logLevel = new WatchedValue<LogLevel>("info");
  const answer = agentAnswers({
    admin: new EnvoyAdmin(socket),
    state: () => "ready",
    svid: new WatchedValue(undefined),
    views: new WatchedValue(undefined),
    logLevel,
    drain: () => Promise.resolve(),
    log: silentLog,
  });
  const change = (query: string) => {
    const parameters = new URLSearchParams(query);
    return answer({ method: "POST", path: "/logging", parameters, host: "" });
  };
  return { asked, logLevel, change };
}

const ASK = "POST /logging";
const cases: readonly [
  scopes: string,
  status: number,
  told: RegExp,
  changes: readonly string[],
  level: LogLevel,
][] = [
  ["rbac:debug", 200, /"rbac":\s*"debug"/, ["POST /logging?rbac=debug"], "info"],
  [
    "rbac:trace,conn_handler:warn",
    200,
    /"conn_handler":\s*"warning"/,
    ["POST /logging?rbac=trace", "POST /logging?conn_handler=warning"],
    "info",
  ],
  ["default:debug", 200, /"level":\s*"debug"/, [], "debug"],
  ["rbac:debug,http:debug", 400, /no scope is called http; there is default, admin,/, [], "info"],
];
for (const [scopes, status, told, changes, level] of cases) {
  test(`loggers of Envoy: ${scopes} is answered ${status}`, async (context) => {
    const { asked, logLevel, change } = await staged(context);
    const page = await change(`scopes=${encodeURIComponent(scopes)}`);
    assert.equal(page.status, status);
    assert.match(String(page.body), told);
    assert.deepEqual(asked, [ASK, ...changes]);
    assert.equal(logLevel.current, level);
  });
}

test("what is no list of scopes is refused before Envoy is asked", async (context) => {
  const { asked, change } = await staged(context);
  assert.equal((await change("scopes=rbac:loud")).status, 400);
  assert.deepEqual(asked, []);
});

test("a level for all is Envoy's too", async (context) => {
  const { asked, logLevel, change } = await staged(context);
  assert.equal((await change("level=debug")).status, 200);
  assert.deepEqual(asked, ["POST /logging?level=debug"]);
  assert.equal(logLevel.current, "debug");
});
