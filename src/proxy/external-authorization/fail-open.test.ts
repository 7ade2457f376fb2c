/** EA-26 with `failOpen`: an error of the authorizer's lets pass; what a client may bring about while the authorizer is well does not. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, type TestContext, test } from "node:test";
import { call, closeStages, http, type Stage, stage } from "../../../test/kit/authorizer-stage.ts";
import { serveHttp1 } from "../../../test/kit/own-calls-stage.ts";
import type { AppliedHttpAuthorizer } from "../../policy/applied-authorizers.ts";
import {
  DEFAULT_TRAFFIC_POLICY,
  type EffectiveConnectionPool,
} from "../../policy/effective-traffic-policy.ts";

after(closeStages);

const ORIGIN = {
  ref: { kind: "DestinationRule", namespace: "production", name: "opa" },
  source: { file: "opa.yaml", line: 1 },
} as const;

async function open(
  context: TestContext,
  listener: RequestListener,
  changes: Partial<AppliedHttpAuthorizer> = {},
): Promise<Stage> {
  const port = await serveHttp1(context, listener);
  return stage({
    authorizers: [http("opa", { failOpen: true, ...changes })],
    ports: { opa: port },
  });
}

function limit(one: Stage, limits: Partial<EffectiveConnectionPool>): void {
  const { current } = one.views;
  assert.ok(current);
  const connectionPool = { ...DEFAULT_TRAFFIC_POLICY.connectionPool, ...limits };
  const trafficPolicy = { ...DEFAULT_TRAFFIC_POLICY, connectionPool };
  const destinations = current.outbound.destinations.map((destination) => ({
    ...destination,
    trafficPolicy: {
      ...trafficPolicy,
      origin: ORIGIN,
    },
  }));
  one.views.set({ ...current, outbound: { ...current.outbound, destinations } });
}

const limits: [what: string, limits: Partial<EffectiveConnectionPool>][] = [
  ["requests that may wait", { maxPendingRequests: 1 }],
  ["requests under way", { maxRequests: 2 }],
  ["connections, until the time is over", { maxConnections: 1 }],
];
for (const [what, pool] of limits) {
  test(`more than the limit of ${what}: nobody passes`, async (context) => {
    const slowly: RequestListener = (_, reply) => {
      setTimeout(() => reply.writeHead(403).end("no"), 300);
    };
    const one = await open(context, slowly, { timeoutMs: 2_000 });
    limit(one, pool);
    const answers = await Promise.all(Array.from({ length: 8 }, () => call(one)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array(8).fill(403),
    );
    assert.equal(one.reached(), 0);
    const words = new Set(answers.map(({ text }) => text));
    assert.deepEqual(words, new Set(["no", ""]), "some were asked about, and some were not");
  });
}

const broken: [what: string, listener: RequestListener][] = [
  ["a body of more than 1 MiB", (_, reply) => reply.writeHead(403).end("x".repeat(1_500_000))],
  [
    "a body that is cut",
    (_, reply) => {
      reply.writeHead(403, { "content-length": 1_000 });
      reply.write("abc", () => reply.destroy());
    },
  ],
  [
    "a body that never ends",
    (_, reply) => {
      reply.writeHead(403, { "content-length": 1_000 });
      reply.write("abc");
    },
  ],
];
for (const [what, listener] of broken) {
  test(`EA-17: a denial with ${what} denies`, async (context) => {
    const one = await open(context, listener, { timeoutMs: 500 });
    assert.deepEqual([(await call(one)).status, one.reached()], [403, 0]);
    const entry = await one.entry();
    assert.equal(entry.decision?.reason.because, "authorizer-denied");
  });
}

test("an allowing answer of more than 1 MiB, which a client may bring about, lets nobody pass", async (context) => {
  const one = await open(context, (_, reply) => reply.end("x".repeat(1_500_000)));
  assert.deepEqual([(await call(one)).status, one.reached()], [403, 0]);
});

const errors: [what: string, listener: RequestListener][] = [
  ["status 500", (_, reply) => reply.writeHead(500).end()],
  [
    "half an answer of status 503",
    (_, reply) => {
      reply.writeHead(503, { "content-length": 1_000 });
      reply.write("abc", () => reply.destroy());
    },
  ],
  ["no answer in time", () => {}],
  ["a connection that is closed", (incoming) => incoming.socket.destroy()],
];
for (const [what, listener] of errors) {
  test(`EA-26: ${what} is the authorizer's error, and lets pass`, async (context) => {
    const one = await open(context, listener, { timeoutMs: 300 });
    assert.deepEqual([(await call(one)).status, one.reached()], [200, 1]);
  });
}
