import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { openAuthorityRing } from "../ca/authority-ring.ts";
import type { AuthorityOperations } from "./authority-operations.ts";
import type { AuthorityStepReply } from "./control-socket-messages.ts";
import { RootRenewal } from "./root-renewal.ts";

const HOUR_MS = 3_600_000;
const BLOCKER = { pod: "shop/api-0", lacks: "has not connected" };

/** A ring on disk whose root lives 100 hours, a clock to be moved, and a gate to be shut. */
async function start(context: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(directory, { recursive: true }));
  const made = Date.now();
  const mesh = { hours: 0, gate: "open", folder: false, refused: false };
  const clock = { now: () => new Date(made + mesh.hours * HOUR_MS) };
  const lifetimeMs = 100 * HOUR_MS;
  const ring = await openAuthorityRing({
    directory,
    trustDomain: "cluster.local",
    clock,
    lifetimeMs,
  });
  const log = recordedLog();
  const taken: string[] = [];
  const take: AuthorityOperations["take"] = async ({ step, gate, by }) => {
    assert.equal(by, "the renewal of the root");
    if (mesh.refused) return { type: "refused", problem: "the disk is full" };
    if (mesh.gate === "shut" && gate === "ask" && step !== "prepare")
      return { type: "ca-blocked", blockers: [BLOCKER], breakage: "it would break" };
    taken.push(gate === "forced" ? `${step} by force` : step);
    if (step === "prepare") await ring.prepare("self-signed");
    else await ring.take(step, { forced: gate === "forced" });
    return { type: "ca-taken" } as AuthorityStepReply;
  };
  const renewal = new RootRenewal({
    ring,
    operations: { take },
    rules: { gracePercent: 20, keepMs: 2 * HOUR_MS },
    isLeftToFolder: () => mesh.folder,
    clock,
    log,
  });
  context.after(() => renewal.close());
  return { mesh, ring, log, taken, renewal };
}

const TWO_LOOKS_MS = 1_100;
const states = (ring: Awaited<ReturnType<typeof start>>["ring"]): string =>
  ring
    .status()
    .map(({ state }) => state)
    .join(", ");

test("CA-42: a root that is due is replaced step by step, and its key is gone at the end", async (context) => {
  const { mesh, ring, taken, renewal, log } = await start(context);
  const [first] = ring.status();
  await delay(TWO_LOOKS_MS);
  assert.deepEqual(taken, [], "before it is due");
  assert.match(renewal.doing ?? "", /^from 20/);
  assert.deepEqual(log.lines, [], "what is planned is no news");
  mesh.hours = 80;
  await eventually("another root that signs", () => states(ring) === "active, retiring");
  assert.notEqual(ring.status()[0]?.id, first?.id);
  assert.equal(ring.status()[0]?.origin, "self-signed");
  await eventually("what it waits for", () => renewal.doing?.includes("is trusted until"));
  assert.equal(states(ring), "active, retiring");
  mesh.hours = 82;
  await eventually("the former gone", () => states(ring) === "active");
  assert.deepEqual(taken, ["prepare", "activate", "revoke"]);
  assert.equal(ring.trust.current.rootsPem.length, 1);
});

test("CA-42: who is not ready is waited for, and named once; near the root's end nobody is", async (context) => {
  const { mesh, ring, taken, log } = await start(context);
  mesh.gate = "shut";
  mesh.hours = 80;
  const waits = await eventually("the wait", () =>
    log
      .find("renewal of the self-signed root")
      .find(({ fields }) => /waits/.test(`${fields["doing"]}`)),
  );
  assert.equal(waits.level, "warn");
  assert.match(String(waits.fields["doing"]), /activate waits: shop\/api-0 has not connected$/);
  await delay(TWO_LOOKS_MS);
  assert.equal(
    log.lines.filter(({ fields }) => fields["doing"] === waits.fields["doing"]).length,
    1,
  );
  assert.equal(states(ring), "active, prepared");
  mesh.hours = 95;
  await eventually("the end of patience", () => states(ring) === "active, retiring");
  mesh.hours = 100;
  await eventually("the former's end", () => states(ring) === "active");
  assert.deepEqual(taken, ["prepare", "activate by force", "revoke by force"]);
});

test("a folder of a custom authority is stronger, and a refused step is not tried on and on", async (context) => {
  const { mesh, taken, renewal, log } = await start(context);
  mesh.folder = true;
  mesh.hours = 80;
  await delay(TWO_LOOKS_MS);
  assert.deepEqual(taken, []);
  assert.equal(renewal.doing, undefined);
  mesh.refused = true;
  mesh.folder = false;
  await eventually("the refusal", () => renewal.doing === "prepare is refused: the disk is full");
  mesh.refused = false;
  await delay(TWO_LOOKS_MS);
  assert.deepEqual(taken, []);
  assert.equal(log.find("renewal of the self-signed root").length, 1);
});

test("a clock that runs ahead and comes back: no key goes, and the root of before signs again", async (context) => {
  const { mesh, ring, taken, log } = await start(context);
  const before = ring.issuer.current.id;
  mesh.hours = 90_000;
  await eventually("the next root", () => states(ring) === "active, retiring");
  assert.notEqual(ring.issuer.current.id, before);
  assert.deepEqual(taken, ["prepare", "activate by force"]);
  mesh.hours = 1;
  await eventually("the way back", () => states(ring) === "active");
  assert.equal(ring.issuer.current.id, before);
  const told = await eventually("that it is told", () => {
    const lines = log.lines.filter(({ message }) => /can sign nothing yet/.test(message));
    return lines.length > 0 && lines;
  });
  assert.deepEqual(
    told.map(({ level }) => level),
    ["error"],
  );
  mesh.hours = 80;
  await eventually("its own renewal", () => states(ring) === "active, retiring");
});

test("what was prepared by a clock that ran ahead is dropped when the clock is right", async (context) => {
  const { mesh, ring, taken } = await start(context);
  mesh.gate = "shut";
  mesh.hours = 85;
  await eventually("what is prepared", () => states(ring) === "active, prepared");
  mesh.hours = 2;
  mesh.gate = "open";
  await eventually("its end", () => states(ring) === "active");
  assert.deepEqual(taken, ["prepare", "rollback"]);
});
