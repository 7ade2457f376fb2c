/** What is asked of logs beside their pods: one request along its way, and who calls in plaintext. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { accessLogEntry } from "../../../test/kit/access-log-entry.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { type LogsOptions, logsCommand } from "./logs.ts";

const WORKLOADS = [
  { namespace: "shop", name: "api-0", owner: "api" },
  { namespace: "shop", name: "web-0", owner: "web" },
  {
    namespace: "legacy",
    name: "report-0",
    owner: "report",
    addresses: { ipv4: "10.244.0.3", ipv6: "fd00:10:244::3" },
  },
];
const REFUSED: Partial<AccessLogEntry> = {
  response_code: 403,
  decision: {
    verdict: "deny",
    reason: { because: "no-allow-matched", considered: [], nearest: [] },
  },
};

interface Told {
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

async function tell(
  context: TestContext,
  logs: Readonly<Record<string, readonly Partial<AccessLogEntry>[]>>,
  options: Partial<LogsOptions>,
): Promise<Told> {
  const data = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(data, { recursive: true }));
  const supervisor = { processId: process.pid, startedAt: "" };
  const state = JSON.stringify({ format: 2, supervisor, processes: [], workloads: WORKLOADS });
  await writeFile(new DataDirectory(data).meshState, state);
  for (const [pod, entries] of Object.entries(logs)) {
    await mkdir(join(data, "logs", pod), { recursive: true });
    const text = entries.map((entry) => `${JSON.stringify(accessLogEntry(entry))}\n`).join("");
    await writeFile(join(data, "logs", pod, "access.log"), text);
  }
  const [lines, warnings]: [string[], string[]] = [[], []];
  const code = await logsCommand(undefined, {
    options: { data, tail: 100, ...options },
    print: (line) => void lines.push(line),
    warn: (line) => void warnings.push(line),
    signal: new AbortController().signal,
  });
  assert.equal(code, 0);
  return { lines, warnings };
}

const OWN_CALL: Partial<AccessLogEntry> = {
  reporter: "source",
  request_id: "one",
  upstream_cluster: "outbound|8080||api.shop.svc.cluster.local",
  response_code: 403,
  decision: null,
};

test("one request is told along its way, with why it was refused", async (context) => {
  const logs = {
    "shop/web-0": [OWN_CALL, { ...OWN_CALL, request_id: "two" }],
    "shop/api-0": [
      { ...REFUSED, request_id: "one" },
      { ...REFUSED, request_id: "three" },
    ],
  };
  const told = await tell(context, logs, { request: "one" });
  const [arrived = "", explained = "", called = ""] = [...told.lines].sort().reverse();
  assert.match(called + arrived + explained, /called shop\/web-0 -> api:8080 GET/);
  assert.match(told.lines.join("\n"), /403, which was decided where it arrived$/m);
  assert.match(told.lines.join("\n"), /DENIED .* -> shop\/api-0:8080 .*\n {4}Denied: /);
  assert.equal(told.lines.filter((line) => !line.startsWith(" ")).length, 2);
  const refused = await tell(context, logs, { request: "one", denied: true });
  assert.equal(refused.lines.filter((line) => !line.startsWith(" ")).length, 1);
});

test("a request that no log has is told as such", async (context) => {
  const { lines, warnings } = await tell(context, { "shop/api-0": [{}] }, { request: "none" });
  assert.deepEqual(lines, []);
  assert.deepEqual(warnings, ["no call has the id none, as far as these logs go back"]);
});

const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
const plaintext = (address: string, second: number): Partial<AccessLogEntry> => ({
  source_principal: null,
  downstream_remote_address: address,
  start_time: at(second),
});

test("who calls in plaintext is counted, and nobody who proved anything", async (context) => {
  const logs = {
    "shop/api-0": [
      {},
      plaintext("[fd00:10:244::3]:40078", 1),
      { ...plaintext("10.244.0.3:1", 3), ...REFUSED },
      plaintext("10.244.0.1:2", 2),
      plaintext("192.0.2.7:2", 1),
      {
        ...plaintext("192.0.2.8:2", 2),
        decision: {
          verdict: "deny",
          reason: { because: "peer-not-verified", problem: "its certificate has expired" },
        },
      } as const,
      { ...plaintext("192.0.2.9:2", 2), reporter: "source" } as const,
    ],
  };
  const { lines } = await tell(context, logs, { plaintext: true, json: true });
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      { caller: "legacy/report-0", callee: "shop/api-0:8080", calls: 2, refused: 1, last: at(3) },
      {
        caller: "this machine (10.244.0.1)",
        callee: "shop/api-0:8080",
        calls: 1,
        refused: 0,
        last: at(2),
      },
      { caller: "192.0.2.7", callee: "shop/api-0:8080", calls: 1, refused: 0, last: at(1) },
    ],
  );
  const [head = "", first = ""] = (await tell(context, logs, { plaintext: true })).lines;
  assert.match(head, /^LAST +CALLS +REFUSED +CALLER +CALLEE$/);
  assert.match(first, /^\S+Z +2 +1 +legacy\/report-0 +shop\/api-0:8080$/);
});

test("where nobody calls in plaintext that is said", async (context) => {
  const { lines, warnings } = await tell(context, { "shop/api-0": [{}] }, { plaintext: true });
  assert.deepEqual(lines, []);
  assert.deepEqual(warnings, ["nobody called in plaintext, as far as these logs go back"]);
});

for (const [count, said] of [
  [2, /^1 older one is in /],
  [3, /^2 older ones are in /],
] as const) {
  test(`of ${count} entries the newest is told, and how many are older`, async (context) => {
    const entries = Array.from({ length: count }, (_, second) => ({ start_time: at(second) }));
    const { lines, warnings } = await tell(context, { "shop/api-0": entries }, { tail: 1 });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", new RegExp(`^${at(count - 1)} `));
    assert.match(warnings.join("\n"), said);
  });
}
