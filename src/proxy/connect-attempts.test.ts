import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectAttempts, type Persistence } from "./connect-attempts.ts";
import { UpstreamConnectError } from "./upstream-dialer.ts";

const refused = new UpstreamConnectError(
  "tcp",
  Object.assign(new Error(), { code: "ECONNREFUSED" }),
);
const left = new UpstreamConnectError("tls", Object.assign(new Error(), { code: "ECONNRESET" }));
const imposter = new UpstreamConnectError("tls", new Error("another identity"));
const silent = new UpstreamConnectError("tcp", new Error("not there after 10000 ms"));

interface Case {
  readonly what: string;
  readonly endpoints: readonly string[];
  readonly persistence?: Persistence;
  readonly fails: Readonly<Record<string, UpstreamConnectError>>;
  readonly tried: readonly (readonly [endpoint: string, pauseMs: number])[];
}

const cases: readonly Case[] = [
  { what: "nowhere to go", endpoints: [], fails: {}, tried: [] },
  {
    what: "the only endpoint is being restarted",
    endpoints: ["a"],
    fails: { a: refused },
    tried: [
      ["a", 0],
      ["a", 150],
      ["a", 350],
    ],
  },
  {
    what: "the only endpoint leaves during the handshake",
    endpoints: ["a"],
    fails: { a: left },
    tried: [
      ["a", 0],
      ["a", 150],
      ["a", 350],
    ],
  },
  {
    what: "of two, each is tried before one is tried again",
    endpoints: ["a", "b"],
    fails: { a: refused, b: refused },
    tried: [
      ["a", 0],
      ["b", 0],
      ["a", 350],
    ],
  },
  {
    what: "of many, three are tried",
    endpoints: ["a", "b", "c", "d"],
    fails: { a: refused, b: refused, c: refused },
    tried: [
      ["a", 0],
      ["b", 0],
      ["c", 0],
    ],
  },
  {
    what: "an imposter is asked once",
    endpoints: ["a"],
    fails: { a: imposter },
    tried: [["a", 0]],
  },
  { what: "silence is waited for once", endpoints: ["a"], fails: { a: silent }, tried: [["a", 0]] },
  {
    what: "an imposter among others is asked once",
    endpoints: ["a", "b"],
    fails: { a: imposter, b: refused },
    tried: [
      ["a", 0],
      ["b", 0],
      ["b", 350],
    ],
  },
  {
    what: "the own application is tried once",
    endpoints: ["a"],
    persistence: "once",
    fails: { a: refused },
    tried: [["a", 0]],
  },
];

for (const { what, endpoints, persistence = "again", fails, tried } of cases) {
  test(what, () => {
    const attempts = new ConnectAttempts(endpoints, persistence);
    const seen: (readonly [string, number])[] = [];
    const first = attempts.first();
    let next = first === undefined ? undefined : { endpoint: first, pauseMs: 0 };
    while (next !== undefined) {
      seen.push([next.endpoint, next.pauseMs]);
      next = attempts.after(next.endpoint, fails[next.endpoint] ?? assert.fail("not to be tried"));
    }
    assert.deepEqual(seen, tried);
  });
}
