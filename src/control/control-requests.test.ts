import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { authorityFolder } from "../../test/kit/authority-folder.ts";
import { type OperatedRing, operatedRing } from "../../test/kit/operated-ring.ts";
import type { RotationStep } from "../ca/rotation.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { CountersAwayError } from "../rate-limit-service/counters.ts";
import { systemClock } from "../runtime/clock.ts";
import type { ProxyStreamStatus } from "./aggregated-discovery/proxy-stream-status.ts";
import { answerControlRequest, type ControlRequestContext } from "./control-requests.ts";
import type { ControlReply } from "./control-socket-messages.ts";

type Asked = OperatedRing & {
  ask(step: RotationStep, force?: "force", from?: string): Promise<ControlReply>;
};

async function start(
  context: TestContext,
  more: Partial<Pick<ControlRequestContext, "renewal" | "proxies">> = {},
): Promise<Asked & { readonly context: ControlRequestContext }> {
  const mesh = await operatedRing(context);
  const requests: ControlRequestContext = {
    operations: mesh.operations,
    metrics: async () => "citadel_server_csr_count 7\n",
    remoteClusters: () => ({
      cluster: "Kubernetes",
      trustDomain: "cluster.local",
      listen: "127.0.0.1:1",
      remoteClusters: [],
    }),
    tokenKeys: () => [],
    views: () => new Map(),
    subscribers: () => [],
    proxies: () => [],
    limitsLeft: async () => [],
    clock: systemClock,
    ...more,
  };
  const ask: Asked["ask"] = (step, force, from) => {
    const request = { type: "ca-step", step, force: force === "force" } as const;
    return answerControlRequest({ ...request, ...(from !== undefined && { from }) }, requests);
  };
  return { ...mesh, ask, context: requests };
}

test("a step that must wait says who is not ready and what force would break; force breaks that, and says it", async (context) => {
  const { ask, ring, states, log } = await start(context);
  await ask("prepare");
  const activate = await ask("activate");
  assert.ok(activate.type === "ca-blocked");
  assert.deepEqual(activate.blockers, [
    { pod: "shop/api-0", lacks: "has not acknowledged the newest roots" },
  ]);
  assert.match(activate.breakage, /^1 sidecar will refuse the new certificates of the others/);
  assert.equal(states(), "active, prepared", "nothing was changed");
  const activated = await ask("activate", "force");
  assert.ok(activated.type === "ca-taken");
  assert.equal(activated.broke, activate.breakage);

  const revoke = await ask("revoke");
  assert.ok(revoke.type === "ca-blocked");
  assert.match(revoke.breakage, /^1 sidecar will be refused by all others until it has/);
  const revoked = await ask("revoke", "force");
  assert.ok(revoked.type === "ca-taken");
  assert.equal(revoked.broke, revoke.breakage);
  assert.equal(states(), "active");
  assert.deepEqual(
    ring.history().map(({ step, forced }) => [step, forced]),
    [
      ["prepare", false],
      ["activate", true],
      ["revoke", true],
    ],
  );
  const said = log.find("authority rotation").map(({ level, fields }) => [level, fields["broke"]]);
  assert.deepEqual(said, [
    ["warn", undefined],
    ["warn", activate.breakage],
    ["warn", revoke.breakage],
  ]);
});

test("force where everybody is ready breaks nothing, and is not remembered as force", async (context) => {
  const { ask, acknowledge, ring } = await start(context);
  await ask("prepare", "force");
  acknowledge();
  const activated = await ask("activate", "force");
  assert.ok(activated.type === "ca-taken");
  assert.equal(activated.broke, undefined);
  assert.equal(
    ring.history().some(({ forced }) => forced),
    false,
  );
});

test("force does not make possible what is not", async (context) => {
  const { ask, states } = await start(context);
  for (const step of ["activate", "taint", "revoke", "rollback"] as const) {
    const reply = await ask(step, "force");
    assert.ok(reply.type === "refused", step);
    assert.match(reply.problem, /no authority is|nothing to go back to/);
  }
  assert.equal(states(), "active");
});

test("CA-45: a folder that is bad is refused with the reason, a good one prepared", async (context) => {
  const { ask, states } = await start(context);
  const refused = await ask("prepare", undefined, "/nowhere");
  assert.ok(refused.type === "refused");
  assert.match(refused.problem, /there is no such folder$/);
  const empty = await ask("prepare", undefined, await authorityFolder(context, {}));
  assert.ok(empty.type === "refused");
  assert.match(empty.problem, /ca-cert\.pem is missing/);
  const taken = await ask("prepare", undefined, await authorityFolder(context));
  assert.ok(taken.type === "ca-taken");
  assert.equal(taken.authority.origin, "custom");
  assert.equal(states(), "active, prepared");
});

test("status tells of the renewal of the root where there is one; metrics are passed on", async (context) => {
  const { context: requests } = await start(context, {
    renewal: { doing: "is due", standstill: undefined },
  });
  const status = await answerControlRequest({ type: "ca-status" }, requests);
  assert.ok(status.type === "ca-status");
  assert.equal(status.status.renewal, "is due");
  const { renewal: _, ...without } = requests;
  const bare = await answerControlRequest({ type: "ca-status" }, without);
  assert.ok(bare.type === "ca-status" && !("renewal" in bare.status));
  const metrics = await answerControlRequest({ type: "metrics" }, requests);
  assert.deepEqual(metrics, { type: "metrics", text: "citadel_server_csr_count 7\n" });
});

test("revoke of what is revoked already, by whomever, is done; and what never was is refused", async (context) => {
  const { ask, acknowledge, catchUp, ring } = await start(context);
  await ask("prepare");
  acknowledge();
  await ask("activate");
  catchUp();
  const revoked = await ask("revoke");
  assert.ok(revoked.type === "ca-taken");
  assert.equal(revoked.was, undefined);
  const again = await ask("revoke");
  assert.ok(again.type === "ca-taken");
  assert.deepEqual([again.was, again.authority.id], ["before", ring.status()[0]?.id]);
  await ask("prepare");
  assert.equal((await ask("revoke")).type, "refused");
});

test("what is left of limits is told, and in words why nobody can say", async (context) => {
  const { context: requests } = await start(context);
  const counters = [{ limit: "shop/checkout/all", key: "", identity: "" }];
  const ask = (limitsLeft: ControlRequestContext["limitsLeft"]) =>
    answerControlRequest({ type: "limits-left", counters }, { ...requests, limitsLeft });
  const left = [{ left: 3, waitMs: 0 }];
  assert.deepEqual(await ask(async () => left), { type: "limits-left", left });
  const away = (): Promise<never> => Promise.reject(new CountersAwayError("Redis is away"));
  assert.deepEqual(await ask(away), { type: "refused", problem: "Redis is away" });
  await assert.rejects(ask(() => Promise.reject(new Error("a defect"))));
});

test("proxy-status tells what an Envoy and a gRPC program of one pod refuse, whichever came last", async (context) => {
  const stream = (type: string, state: "synced" | "refused"): ProxyStreamStatus => ({
    pod: "shop/api-0",
    identity: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/api"),
    remoteAddress: "127.0.0.1:1",
    types: [{ type, state, version: "1" }],
  });
  const proxies = () => [stream("clusters", "refused"), stream("routes", "synced")];
  const { context: requests } = await start(context, { proxies });
  const reply = await answerControlRequest({ type: "proxy-status" }, requests);
  assert.deepEqual(reply, {
    type: "proxy-status",
    proxies: [
      {
        pod: "shop/api-0",
        address: "127.0.0.1:1",
        envoy: [
          { type: "clusters", state: "refused", version: "1" },
          { type: "routes", state: "synced", version: "1" },
        ],
      },
    ],
  });
});
