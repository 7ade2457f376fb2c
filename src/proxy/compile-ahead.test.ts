import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleView } from "../../test/kit/sample-view.ts";
import { policy } from "../../test/kit/sidecar-fixture.ts";
import type { PortProtocol } from "../api/service.ts";
import type { TrafficProtocol } from "../policy/authorization-rule.ts";
import { compileAuthorization, compileInSteps } from "../policy/authorize.ts";
import type { AppliedPolicy, WorkloadView } from "../policy/workload-view.ts";
import { compileAhead } from "./compile-ahead.ts";

const NEVER = new AbortController().signal;

function policies(count: number): readonly AppliedPolicy[] {
  return Array.from({ length: count }, (_, index) =>
    policy("ALLOW", `p${index}`, {
      from: [{ principals: [`cluster.local/ns/n${index}/sa/a`] }],
      to: [{ paths: [`/p${index}/*`] }],
      when: [{ key: "connection.sni", values: [`h${index}.example.com`], notValues: [] }],
    }),
  );
}

/** With trust of its own, so that nothing of it is known. */
function viewOf(allow: readonly AppliedPolicy[], protocol: PortProtocol = "http"): WorkloadView {
  const identity = "spiffe://cluster.local/ns/production/sa/api";
  const view = sampleView({ name: "production/api-0", identity, rootPem: "" });
  const { inbound } = view;
  const ports = inbound.ports.map((port) => ({ ...port, protocol }));
  const authorization = { ...inbound.authorization, allow };
  return { ...view, inbound: { ...inbound, ports, authorization } };
}

function left({ inbound, trust }: WorkloadView, protocol: TrafficProtocol): number {
  return [...compileInSteps(inbound.authorization, { protocol, trust })].length;
}

/** Of the event loop, while it was made to wait. */
async function turnsDuring(work: Promise<void>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work;
  isOver = true;
  return turns;
}

test("many rules are compiled in turns between which others have theirs, and all of them", async () => {
  const view = viewOf(policies(10_000));
  const turns = await turnsDuring(compileAhead(view, NEVER));
  assert.ok(turns > 3, String(turns));
  assert.equal(left(view, "http"), 0);
});

test("what was compiled ahead stays, also where few rules of the same trust were known before", async () => {
  const few = viewOf(policies(5));
  await compileAhead(few, NEVER);
  const { trust } = few;
  const more = { ...viewOf([...few.inbound.authorization.allow, ...policies(5_000)]), trust };
  await compileAhead(more, NEVER);
  assert.equal(left(more, "http"), 0);
  compileAuthorization(more.inbound.authorization, { protocol: "http", trust });
  assert.equal(left(more, "http"), 0);
});

test("few rules, and those that are known, need no turn of others", async () => {
  const known = policies(10_000);
  const view = viewOf(known);
  await compileAhead(view, NEVER);
  for (const one of [viewOf(policies(3)), { ...view, trust: view.trust }]) {
    let isDone = false;
    void compileAhead(one, NEVER).then(() => {
      isDone = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    assert.ok(isDone);
    assert.equal(left(one, "http"), 0);
  }
});

for (const [protocol, http, tcp] of [
  ["http", 0, 5],
  ["tcp", 0, 0],
  ["auto", 0, 0],
] as const)
  test(`a port of protocol ${protocol}: rules are compiled for what it carries`, async () => {
    const view = viewOf(policies(5), protocol);
    await compileAhead(view, NEVER);
    assert.deepEqual([left(view, "http"), left(view, "tcp")], [http, tcp]);
  });

test("whoever stops waits for one turn, not for all", async () => {
  const view = viewOf(policies(10_000));
  await compileAhead(view, AbortSignal.abort());
  assert.ok(left(view, "http") > 0);
});
