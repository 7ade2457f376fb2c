/** EA-26 with `failOpen`: an error of the authorizer's lets pass; what a client may bring about while the authorizer is well does not. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, type TestContext, test } from "node:test";
import { call, closeStages, http, type Stage, stage } from "../../../test/kit/authorizer-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { serveHttp1 } from "../../../test/kit/own-calls-stage.ts";
import type { AppliedHttpAuthorizer } from "../../policy/applied-authorizers.ts";
import { DEFAULT_TRAFFIC_POLICY } from "../../policy/effective-traffic-policy.ts";
import type { ConnectionPool } from "../../policy/traffic-policy.ts";

after(closeStages);

async function open(
  context: TestContext,
  listener: RequestListener,
  changes: Partial<AppliedHttpAuthorizer> = {},
): Promise<Stage> {
  const port = await serveHttp1(context, listener);
  return stage({ authorizers: [http("opa", { failOpen: true, ...changes })], ports: { opa: port } });
}

function limit(one: Stage, limits: Partial<ConnectionPool>): void {
  const { current } = one.views;
  const connectionPool = { ...DEFAULT_TRAFFIC_POLICY.connectionPool, ...limits };
  const trafficPolicy = { ...DEFAULT_TRAFFIC_POLICY, connectionPool };
  const destinations = current.outbound.destinations.map((destination) => ({
    ...destination,
    trafficPolicy,
  }));
  one.views.set({ ...current, outbound: { ...current.outbound, destinations } });
}

const limits: [what: string, limits: Partial<ConnectionPool>][] = [
  ["requests that may wait", { maxPendingRequests: 1 }],
  ["requests under way", { maxRequests: 2 }],
  ["connections, until the time is over", { maxConnections: 1 }],
];
for (const [what, pool] of limits) {
  test(`more than the limit of ${what}: nobody passes`, async (context) => {
    const held: (() => void)[] = [];
    const one = await open(
      context,
      (_, reply) => {
        held.push(() => reply.writeHead(403).end("no"));
      },
      { timeoutMs: 1_000 },
    );
    limit(one, pool);
    const answers = Array.from({ length: 8 }, () => call(one));
    await eventually("somebody to be asked about", () => held.length > 0);
    const refused = await Promise.any(
      answers.map(async (answer) => {
        const { status, text } = await answer;
        assert.deepEqual([status, text], [403, ""]);
        return status;
      }),
    );
    assert.equal(refused, 403);
    const ending = setInterval(() => {
      for (const end of held.splice(0)) end();
    }, 5);
    context.after(() => clearInterval(ending));
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    assert.ok(held.length === 0 || one.reached() === 0);
    assert.deepEqual([statuses, one.reached()], [Array(8).fill(403), 0]);
  });
}
