/** The judge of the soak must find what it is there for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";
import { type Happened, judgeFailures } from "./judge-failures.ts";
import type { Told } from "./load-log.ts";

const KILLED_AT = 100_000;
const HAPPENED: Happened = {
  kills: [
    { pod: "shop-0", part: "server", killedAt: KILLED_AT, backAt: KILLED_AT + 400 },
    { pod: "stock-1", part: "sidecar", killedAt: KILLED_AT, backAt: KILLED_AT + 900 },
  ],
  guards: [
    { paths: "denied", at: 10_000 },
    { paths: "open", at: 20_000 },
  ],
  mesh: { podAt: (address) => address.split(":")[0] },
};
const FAILED: Told = {
  id: "m-1",
  kind: "small",
  sentAt: KILLED_AT + 100,
  ms: 5,
  problem: "status 503",
};
const GUARDED: Told = { id: "m-1", kind: "guarded", sentAt: 15_000, ms: 5, status: 403 };

type Logged = readonly [reporter: "source" | "destination", flags: string, pod: string];

const RIGHT: readonly Logged[] = [
  ["source", "-", "shop-0"],
  ["destination", "UF", "shop-0"],
];

const explained: Record<string, [Told, readonly Logged[]]> = {
  "refused by its port": [FAILED, RIGHT],
  "cut within the answer": [
    { ...FAILED, problem: "closed" },
    [
      ["source", "UR", "shop-0"],
      ["destination", "UC", "shop-0"],
    ],
  ],
  "gRPC, which the caller's side takes for any answer": [
    { ...FAILED, problem: "grpc-status 14" },
    [["destination", "UC", "shop-0"]],
  ],
  "with a sidecar that was killed": [FAILED, [["source", "UC", "stock-1"]]],
};

const faults: Record<string, [Told, readonly Logged[]]> = {
  "before the kill": [{ ...FAILED, sentAt: KILLED_AT - 5_000 }, RIGHT],
  "long after it was back": [{ ...FAILED, sentAt: KILLED_AT + 5_000 }, RIGHT],
  "with another pod": [
    FAILED,
    [
      ["source", "-", "shop-1"],
      ["destination", "UF", "shop-1"],
    ],
  ],
  "nobody tells of it": [FAILED, []],
  "told twice": [FAILED, [...RIGHT, ["source", "-", "shop-0"]]],
  "the callee's side has no flag": [
    FAILED,
    [
      ["source", "-", "shop-0"],
      ["destination", "-", "shop-0"],
    ],
  ],
  "the caller's side blames its own connection": [
    FAILED,
    [
      ["source", "UF", "shop-0"],
      ["destination", "UF", "shop-0"],
    ],
  ],
  "no answer at all": [{ ...FAILED, problem: "no answer" }, RIGHT],
  "denied where no policy denies": [{ ...FAILED, sentAt: 15_000, problem: "status 403" }, RIGHT],
};

for (const [name, [told, logged]] of Object.entries(explained)) {
  test(`a failure has its reason: ${name}`, () => {
    const judgement = judge(told, logged);
    assert.deepEqual(judgement.faults, []);
    assert.equal(judgement.explained.size, 1);
  });
}

for (const [name, [told, logged]] of Object.entries(faults)) {
  test(`a failure is a fault: ${name}`, () => {
    assert.equal(judge(told, logged).faults.length, 1);
  });
}

const guarded: readonly [name: string, told: Told, faults: number][] = [
  ["denied while it stands", { ...GUARDED, problem: "status 403" }, 0],
  ["let through while it stands", { ...GUARDED, status: 200 }, 1],
  ["let through a moment after it was written", { ...GUARDED, sentAt: 11_000, status: 200 }, 0],
  ["denied long after it is gone", { ...GUARDED, sentAt: 25_000, problem: "status 403" }, 1],
  ["let through with another's answer", { ...GUARDED, status: 200, problem: "another body" }, 1],
];

for (const [name, told, count] of guarded) {
  test(`a policy is in force: ${name}`, () => {
    assert.equal(judge(told, []).faults.length, count);
  });
}

function judge(told: Told, logged: readonly Logged[]): ReturnType<typeof judgeFailures> {
  const accessLogs = { entriesOf: () => logged.map(entry) };
  return judgeFailures({ changes: HAPPENED, told: [told], accessLogs });
}

function entry([reporter, flags, pod]: Logged): AccessLogEntry {
  return {
    start_time: "2026-01-01T00:00:00.000Z",
    reporter,
    protocol: "HTTP/1.1",
    method: "GET",
    path: "/",
    authority: "shop:8080",
    response_code: 503,
    response_flags: flags,
    response_code_details: null,
    connection_termination_details: null,
    upstream_transport_failure_reason: null,
    bytes_received: 0,
    bytes_sent: 0,
    duration: 1,
    x_forwarded_for: null,
    user_agent: null,
    request_id: "m-1",
    upstream_host: reporter === "source" ? `${pod}:1` : "application:1",
    upstream_cluster: null,
    upstream_local_address: null,
    downstream_local_address: `${pod}:1`,
    downstream_remote_address: "client:1",
    requested_server_name: null,
    source_principal: null,
    destination_principal: null,
    source_certificate_serial: null,
    decision: null,
  };
}
