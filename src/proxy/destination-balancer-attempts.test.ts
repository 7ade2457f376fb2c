import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleDestination } from "../../test/kit/sample-destination.ts";
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveConnectionPool,
} from "../policy/effective-traffic-policy.ts";
import { seededChance } from "./balancing/seeded-chance.ts";
import { DestinationBalancer } from "./destination-balancer.ts";
import { DestinationAttempts } from "./destination-balancer-attempts.ts";
import { UpstreamConnectError } from "./upstream-dialer.ts";

/** With an endpoint ejected by its fourth error. */
function attemptsAt(ports: readonly number[], limits: Partial<EffectiveConnectionPool> = {}) {
  const said: string[] = [];
  const endpoints = ports.map((port) => ({ address: "127.0.0.1", port }));
  const origin = {
    ref: { kind: "DestinationRule", namespace: "a", name: "a" },
    source: { file: "a", line: 1 },
  };
  const destination = {
    ...sampleDestination({ service: "shop/api", port: 80, endpoints }),
    trafficPolicy: {
      ...DEFAULT_TRAFFIC_POLICY,
      connectionPool: { ...DEFAULT_TRAFFIC_POLICY.connectionPool, ...limits },
      outlierDetection: {
        consecutive5xxErrors: 4,
        localOriginFailures: "gateway errors",
        intervalMs: 1,
        baseEjectionTimeMs: 1,
        maxEjectionTimeMs: 1,
        maxEjectionPercent: 100,
        minHealthPercent: 0,
      },
      origin,
    },
  } as const;
  const balancer = new DestinationBalancer(destination, {
    chance: seededChance(1),
    now: () => 0,
    events: {
      ejected: (_destination, { address }) => said.push(`${address.port}`),
      returned: () => {},
    },
  });
  const make = () => {
    const selection = balancer.select({ carried: "http" });
    assert.ok(typeof selection !== "string");
    return new DestinationAttempts(selection, ({ address }) => address.port);
  };
  return { attempts: make(), make, said };
}

const ABSENT = new UpstreamConnectError(
  "tcp",
  Object.assign(new Error("refused"), { code: "ECONNREFUSED" }),
);
const STRANGER = new UpstreamConnectError("tls", new Error("somebody else"));

test("one that nobody answers at is tried twice more, after a while", () => {
  const { attempts } = attemptsAt([1]);
  assert.equal(attempts.first(), 1);
  assert.deepEqual(attempts.after(1, ABSENT), { endpoint: 1, pauseMs: 150 });
  assert.deepEqual(attempts.after(1, ABSENT), { endpoint: 1, pauseMs: 350 });
  assert.equal(attempts.after(1, ABSENT), undefined);
});

test("one that was not tried yet is tried at once; three tries are all", () => {
  const { attempts } = attemptsAt([1, 2, 3, 4]);
  const first = attempts.first();
  const second = attempts.after(first, ABSENT);
  const third = attempts.after(second?.endpoint ?? 0, ABSENT);
  assert.equal(new Set([first, second?.endpoint, third?.endpoint]).size, 3);
  assert.deepEqual([second?.pauseMs, third?.pauseMs], [0, 0]);
  assert.equal(attempts.after(third?.endpoint ?? 0, ABSENT), undefined);
});

test("one that was ejected meanwhile is not tried again", () => {
  const { attempts, make, said } = attemptsAt([1]);
  const others = [make(), make(), make()];
  for (const other of others) other.answered(500);
  assert.equal(attempts.after(1, ABSENT), undefined);
  assert.deepEqual(said, ["1"]);
});

test("a stranger is not tried again", () => {
  assert.equal(attemptsAt([1]).attempts.after(1, STRANGER), undefined);
});

test("no further retry than the circuit breaker allows", () => {
  const { attempts, make } = attemptsAt([1, 2, 3, 4, 5, 6], { maxRetries: 1 });
  const other = make();
  assert.ok(attempts.after(attempts.first(), ABSENT));
  assert.equal(other.after(other.first(), ABSENT), undefined);
  attempts.done();
  const third = make();
  assert.ok(third.after(third.first(), ABSENT));
});

test("no further request waits than the circuit breaker allows; one that was sent waits no more", () => {
  const { attempts, make } = attemptsAt([1], { maxPendingRequests: 1 });
  const other = make();
  assert.deepEqual([attempts.waits(), other.waits()], ["taken", "overflow"]);
  attempts.sent();
  assert.equal(other.waits(), "taken");
});

const outcomes: [
  what: string,
  tell: (attempts: DestinationAttempts<number>) => void,
  ejected: string[],
][] = [
  ["an answer", (attempts) => attempts.answered(200), []],
  ["a 500", (attempts) => attempts.answered(500), ["1"]],
  ["no connection", (attempts) => attempts.after(1, ABSENT), ["1"]],
  ["a connection that was closed", (attempts) => attempts.lost("closed"), ["1"]],
  ["an answer that is none", (attempts) => attempts.lost("malformed"), ["1"]],
  ["no answer in time", (attempts) => attempts.lost("timeout"), ["1"]],
];
for (const [what, tell, ejected] of outcomes) {
  test(`outlier detection hears of ${what}`, () => {
    const { make, said } = attemptsAt([1]);
    for (let call = 0; call < 4; call++) {
      const attempts = make();
      tell(attempts);
      attempts.done();
    }
    assert.deepEqual(said, ejected);
  });
}

const faults: [code: string, ejected: string[]][] = [
  ["ECONNREFUSED", ["1"]],
  ["EMFILE", []],
  ["EADDRNOTAVAIL", []],
];
for (const [code, ejected] of faults) {
  test(`four connections that fail for ${code}: ${ejected.length} endpoints are ejected`, () => {
    const { make, said } = attemptsAt([1]);
    const error = new UpstreamConnectError("tcp", Object.assign(new Error(code), { code }));
    for (let call = 0; call < 4; call++) {
      const attempts = make();
      attempts.after(attempts.first(), error);
      attempts.done();
    }
    assert.deepEqual(said, ejected);
  });
}
