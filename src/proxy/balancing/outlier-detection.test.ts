import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EffectiveOutlierDetection } from "../../policy/effective-traffic-policy.ts";
import type { BalancedEndpoint } from "./balanced-endpoint.ts";
import { EndpointSet } from "./endpoint-set.ts";
import { OutlierDetection } from "./outlier-detection.ts";

const NO_5XX: EffectiveOutlierDetection = {
  localOriginFailures: "gateway errors",
  intervalMs: 10_000,
  baseEjectionTimeMs: 30_000,
  maxEjectionTimeMs: 300_000,
  maxEjectionPercent: 100,
  minHealthPercent: 0,
};
const SETTINGS: EffectiveOutlierDetection = { ...NO_5XX, consecutive5xxErrors: 3 };

/** @param settings other than three 5xx errors in a row; 0 of them: they are not counted */
function detecting(settings: Partial<EffectiveOutlierDetection> = {}, names = "abcd") {
  const { consecutive5xxErrors = 3, ...rest } = settings;
  const counted = consecutive5xxErrors > 0 && { consecutive5xxErrors };
  const set = new EndpointSet<string>({ keyOf: (name) => name });
  set.update([...names]);
  const said: string[] = [];
  const detection = new OutlierDetection(
    set,
    { ...NO_5XX, ...rest, ...counted },
    {
      ejection: ({ key }, cause, outcome) => said.push(`${key} ${cause} ${outcome}`),
      returned: ({ key }) => said.push(`${key} returned`),
    },
  );
  const [a, b] = set.members;
  assert.ok(a && b);
  return { set, detection, said, a, b };
}

/** What happens to one endpoint, in order: statuses, `c` connect failed, `t` timeout, `r` reset, `ok` connected (TCP), `http` connected. */
function play(
  detection: OutlierDetection<string>,
  endpoint: BalancedEndpoint<string>,
  script: string,
): void {
  for (const word of script.split(" ")) {
    if (word === "ok") detection.connected(endpoint, "tcp");
    else if (word === "http") detection.connected(endpoint, "http");
    else if (word === "c") detection.failed(endpoint, "connect-failed", 0);
    else if (word === "t") detection.failed(endpoint, "timeout", 0);
    else if (word === "r") detection.failed(endpoint, "reset", 0);
    else detection.responded(endpoint, Number(word), 0);
  }
}

const no5xx = { consecutive5xxErrors: 0 };
const gateway = { ...no5xx, consecutiveGatewayErrors: 3 };
const apart = { localOriginFailures: "counted apart", consecutiveLocalOriginFailures: 3 } as const;
const fives = "consecutive_5xx";
const gateways = "consecutive_gateway_failure";
const locals = "consecutive_local_origin_failure";
const scripts: [
  name: string,
  settings: Partial<EffectiveOutlierDetection>,
  script: string,
  cause: string | undefined,
][] = [
  ["three in a row", {}, "500 501 599", fives],
  ["two", {}, "500 500", undefined],
  ["a success between", {}, "500 500 200 500 500", undefined],
  ["a 499 is a success", {}, "500 500 499 500 500", undefined],
  ["a 600 is no 5xx", {}, "500 500 600 500 500", undefined],
  ["gateway errors are 5xx errors", {}, "502 503 504", fives],
  ["gateway errors of their own", gateway, "502 503 504", gateways],
  ["a 500 between gateway errors", gateway, "502 503 500 504 503", undefined],
  ["a 505 is no gateway error", gateway, "505 505 505 501", undefined],
  [
    "both at once: the gateway's comes first",
    { consecutiveGatewayErrors: 3 },
    "503 503 503",
    gateways,
  ],
  ["fewer gateway errors", { consecutiveGatewayErrors: 2 }, "503 503", gateways],
  ["5xx errors off", no5xx, "500 500 500 500 500 500", undefined],
  ["no connection, none in time, a broken one", {}, "c t r", fives],
  ["they are gateway errors", gateway, "c t r", gateways],
  ["a connection for requests says nothing yet", {}, "c http c http c", fives],
  ["a connection for TCP is a success", {}, "c ok c c", undefined],
  ["counted apart: three of them", apart, "c r t", locals],
  ["counted apart: a connection between", apart, "c c http c c", undefined],
  ["counted apart: they are no 5xx errors", apart, "c c 500 500", undefined],
  ["counted apart: responses do not forgive them", apart, "c c 200 c", locals],
  ["counted apart: a connection does not forgive responses", apart, "500 500 ok 500", fives],
];
for (const [name, settings, script, cause] of scripts) {
  test(`${name}: ${script}`, () => {
    const { detection, said, a } = detecting(settings);
    play(detection, a, script);
    assert.deepEqual(said, cause === undefined ? [] : [`a ${cause} ejected`]);
    assert.equal(a.state, cause === undefined ? "serving" : "ejected");
  });
}

test("without settings nothing is ejected, and there is nothing to sweep", () => {
  const { set, a } = detecting();
  const detection = new OutlierDetection(set, undefined);
  play(detection, a, "500 500 500 c c c ok");
  detection.sweep(1_000_000);
  assert.deepEqual([a.state, detection.nextSweepMs(5)], ["serving", undefined]);
});

/** Members, percent, and how many of them can be ejected. */
const shares: [members: string, percent: number, ejected: number][] = [
  ["abcdefghij", 10, 1],
  ["abcdefghi", 10, 0],
  ["abcd", 50, 2],
  ["abcd", 74, 2],
  ["abcd", 75, 3],
  ["abcd", 100, 4],
  ["abc", 33, 0],
];
for (const [members, maxEjectionPercent, ejected] of shares) {
  test(`${maxEjectionPercent} % of ${members.length} members is ${ejected}`, () => {
    const { set, detection, said } = detecting({ maxEjectionPercent }, members);
    for (const member of set.members) play(detection, member, "500 500 500");
    assert.equal(set.ejectedCount, ejected);
    assert.equal(said.filter((line) => line.endsWith("overflow")).length, members.length - ejected);
  });
}

test("one that could not be ejected is counted anew", () => {
  const { set, detection, a, b } = detecting({ maxEjectionPercent: 25 });
  play(detection, a, "500 500 500");
  play(detection, b, "500 500 500 500 500");
  detection.sweep(30_000);
  assert.equal(set.ejectedCount, 0);
  play(detection, b, "500");
  assert.equal(b.state, "ejected");
});

test("it comes back at the first sweep after its time, with a clean slate", () => {
  const { detection, said, a } = detecting();
  detection.responded(a, 500, 1_000);
  detection.responded(a, 500, 1_000);
  detection.responded(a, 500, 1_000);
  detection.sweep(30_999);
  assert.equal(a.state, "ejected");
  detection.sweep(31_000);
  assert.equal(a.state, "serving");
  play(detection, a, "500 500");
  assert.deepEqual(said, ["a consecutive_5xx ejected", "a returned"]);
  assert.equal(detection.nextSweepMs(31_000), 41_000);
});

/** Ejects at `nowMs` and sweeps each second from there. @returns how long it was out */
function timeOut(
  detection: OutlierDetection<string>,
  endpoint: BalancedEndpoint<string>,
  nowMs: number,
): number {
  for (let error = 0; error < 3; error++) detection.responded(endpoint, 500, nowMs);
  for (let out = 1_000; ; out += 1_000) {
    detection.sweep(nowMs + out);
    if (endpoint.state === "serving") return out;
  }
}

test("each ejection lasts longer than the one before, up to the longest", () => {
  const { detection, a } = detecting();
  const times: number[] = [];
  for (let now = 0; times.length < 13; ) {
    const out = timeOut(detection, a, now);
    times.push(out / 30_000);
    now += out;
  }
  assert.deepEqual(times, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10]);
});

test("each quiet interval takes one ejection back", () => {
  const { detection, a } = detecting();
  let now = 0;
  for (let ejection = 0; ejection < 3; ejection++) now += timeOut(detection, a, now);
  const stayQuiet = (intervals: number): void => {
    for (let interval = 0; interval < intervals; interval++) {
      now += SETTINGS.intervalMs;
      detection.sweep(now);
    }
  };
  stayQuiet(2);
  assert.equal(timeOut(detection, a, now), 60_000);
  now += 60_000;
  stayQuiet(9);
  assert.equal(timeOut(detection, a, now), 30_000);
});

test("in panic an ejected one gets calls, and is not ejected again", () => {
  const { set, detection, said, a, b } = detecting({ minHealthPercent: 60 }, "ab");
  play(detection, a, "500 500 500");
  assert.equal(set.mode, "panic");
  play(detection, a, "500 500 500");
  play(detection, b, "200");
  assert.deepEqual(said, ["a consecutive_5xx ejected"]);
  detection.sweep(30_000);
  assert.deepEqual([set.mode, a.state], ["normal", "serving"]);
});

test("of one that has left nothing is counted", () => {
  const { set, detection, said, a } = detecting();
  set.update(["b"]);
  play(detection, a, "500 500 500 c c c");
  assert.deepEqual([said, a.outlier.consecutive5xxErrors], [[], 0]);
});

test("other settings count from 0; none at all take everybody back", () => {
  const { set, detection, a, b } = detecting();
  play(detection, a, "500 500 500");
  play(detection, b, "500 500");
  detection.configure({ ...SETTINGS, consecutive5xxErrors: 2, minHealthPercent: 100 });
  assert.equal(a.state, "ejected");
  play(detection, b, "500");
  assert.equal(b.state, "serving");
  play(detection, b, "500");
  assert.deepEqual([b.state, set.mode], ["ejected", "panic"]);
  detection.configure(undefined);
  assert.deepEqual(
    [a.state, b.state, set.mode, set.ejectedCount],
    ["serving", "serving", "normal", 0],
  );
});

const event = fc.record({
  at: fc.nat(5),
  what: fc.constantFrom("500", "503", "503", "200", "c", "t", "ok"),
  laterMs: fc.nat(20_000),
  leaves: fc.boolean(),
});

test("whatever happens: never more ejected than may be, and none for ever", () => {
  const law = fc.property(
    fc.array(event, { maxLength: 200 }),
    fc.integer({ min: 1, max: 100 }),
    (events, maxEjectionPercent) => {
      const names = [..."abcdef"];
      const settings = { maxEjectionPercent, consecutiveGatewayErrors: 2 };
      const { set, detection } = detecting(settings, names.join(""));
      let now = 0;
      let most = 0;
      for (const { at, what, laterMs, leaves } of events) {
        if (leaves && at === 0) set.update(names.slice(Math.floor(laterMs / 5_000)));
        const member = set.members[at];
        const before = set.ejectedCount;
        if (member !== undefined) play(detection, member, what);
        if (set.ejectedCount > before) most = (100 * set.ejectedCount) / set.members.length;
        assert.ok(most <= maxEjectionPercent);
        now += laterMs;
        detection.sweep(now);
      }
      detection.sweep(now + SETTINGS.maxEjectionTimeMs);
      assert.equal(set.ejectedCount, 0);
      assert.equal(set.candidates.length, set.members.length);
    },
  );
  fc.assert(law);
});
