import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { type DiskFault, installStallingDisk, withDisk } from "../../test/kit/stalled-disk.ts";
import { keptIds } from "./authority-ledger.ts";
import { parseLedger } from "./authority-ledger-text.ts";
import { type OpenedAuthorityRing, openAuthorityRing } from "./authority-ring.ts";
import { createSelfSignedAuthority } from "./self-signed-authority.ts";

const now = new Date("2026-03-04T05:06:07Z");
const DAY_MS = 86_400_000;
const MAX_OPERATIONS = 200;

before(installStallingDisk);

const open = (directory: string, at = now): Promise<OpenedAuthorityRing> =>
  openAuthorityRing({
    directory,
    trustDomain: "cluster.local",
    clock: { now: () => at },
    lifetimeMs: 10 * DAY_MS,
  });

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "hauberk-ring-"));
}

/** What must survive: who is held, and in which state; ids of authorities made on the way differ from run to run. */
function shapeOf(ring: OpenedAuthorityRing, known: readonly string[]): string {
  const states = ring
    .status()
    .map(({ id, state }) => `${known.includes(id) ? id : "new"} ${state}`);
  return `${states.join(", ")} after ${ring
    .history()
    .map(({ step }) => step)
    .join(" ")}`;
}

/** No key that the ledger does not name, no draft, no earlier file. */
async function assertTidy(directory: string, ring: OpenedAuthorityRing): Promise<void> {
  const beside = (await readdir(directory)).filter((name) => name !== "authority-history.json");
  assert.deepEqual(beside, ["ca"]);
  assert.deepEqual((await readdir(join(directory, "ca"))).sort(), ["authorities", "ledger.json"]);
  const { ledger } = parseLedger(await readFile(join(directory, "ca", "ledger.json"), "utf8"));
  const held = keptIds(ledger);
  const active = ring.status()[0]?.id ?? "";
  assert.ok(held.includes(active));
  const folders = await readdir(join(directory, "ca", "authorities"));
  assert.deepEqual(folders.sort(), held.toSorted());
  for (const id of held) {
    const files = await readdir(join(directory, "ca", "authorities", id));
    assert.deepEqual(files.sort(), [
      "ca-cert.pem",
      "ca-key.pem",
      "cert-chain.pem",
      "named-by-the-ledger",
      "root-cert.pem",
    ]);
  }
}

async function take(directory: string, ...steps: readonly string[]): Promise<OpenedAuthorityRing> {
  const ring = await open(directory);
  for (const step of steps) {
    const outcome = await (step === "prepare"
      ? ring.prepare("self-signed")
      : ring.take(step as "activate", { forced: false }));
    assert.ok(!("refused" in outcome), JSON.stringify(outcome));
  }
  return ring;
}

interface Scene {
  readonly what: string;
  readonly set: (directory: string) => Promise<unknown>;
  readonly act: (directory: string) => Promise<unknown>;
  readonly at?: Date;
}

const step = (what: string, ...earlier: readonly string[]): Scene => ({
  what: `${what} after ${earlier.join(", ") || "the first start"}`,
  set: (directory) => take(directory, ...earlier),
  act: (directory) => take(directory, what),
});

async function writeEarlierLayout(directory: string): Promise<void> {
  const made = createSelfSignedAuthority({ trustDomain: "cluster.local", now, lifetimeMs: DAY_MS });
  await mkdir(join(directory, "ca"), { mode: 0o700 });
  await writeFile(join(directory, "ca", "ca-key.pem"), made.privateKeyPem, { mode: 0o600 });
  for (const name of ["ca-cert.pem", "root-cert.pem"])
    await writeFile(join(directory, "ca", name), made.certificatePem);
}

const late = new Date(now.getTime() + 11 * DAY_MS);

const scenes: readonly Scene[] = [
  { what: "the first start", set: async () => undefined, act: open },
  { what: "a take-over of the earlier layout", set: writeEarlierLayout, act: open },
  step("prepare"),
  step("activate", "prepare"),
  step("taint", "prepare", "activate"),
  step("revoke", "prepare", "activate", "taint"),
  step("rollback", "prepare"),
  step("rollback", "prepare", "activate", "taint"),
  {
    what: "the replacement of an expired one",
    set: open,
    act: (directory) => open(directory, late),
    at: late,
  },
];
for (const one of scenes) {
  test(`killed at any point of ${one.what}: the state before or after, and nothing left over`, async () => {
    await checkEveryPoint(one, "stalls");
  });
}

for (const one of scenes.filter(({ what }) => /^the first start|take-over|^revoke/.test(what))) {
  test(`a disk that fails once at any point of ${one.what}: likewise`, async () => {
    await checkEveryPoint(one, "fails once");
  });
}

test("a disk that is full from any point of prepare on: likewise", async () => {
  await checkEveryPoint(step("prepare"), "fails for good");
});

test("after a write that failed half-way the ring takes no step before it is opened anew", async () => {
  const directory = await folder();
  const ring = await open(directory);
  const outcomes = new Set<string>();
  for (let operations = 1; !outcomes.has("AuthorityLedgerChangedError"); operations++) {
    assert.ok(operations < MAX_OPERATIONS);
    const prepare = () => ring.prepare("self-signed");
    const before = ring.status();
    const end = await withDisk({ operations, fault: "fails once" }, prepare);
    assert.ok(end !== "stalled" && "error" in end, "the ledger was not reached");
    assert.deepEqual(ring.status(), before);
    const next = await prepare().catch((error: Error) => error);
    outcomes.add(next instanceof Error ? next.name : "taken");
    if (!(next instanceof Error)) await ring.take("rollback", { forced: false });
  }
  assert.deepEqual([...outcomes], ["taken", "AuthorityLedgerChangedError"]);
  assert.deepEqual(
    (await open(directory)).status().map(({ state }) => state),
    ["active", "prepared"],
  );
  await rm(directory, { recursive: true });
});

async function checkEveryPoint(scene: Scene, fault: DiskFault): Promise<void> {
  const origin = await folder();
  await scene.set(origin);
  const known = await readdir(join(origin, "ca", "authorities")).catch(() => []);
  const seen = new Set<string>();
  const first = await reopened(origin, { scene, fault, known, operations: 0 });
  const finished = await reopened(origin, { scene, fault, known, operations: MAX_OPERATIONS });
  assert.equal(finished.outcome, "done");
  let operations = 1;
  for (; operations < MAX_OPERATIONS; operations++) {
    const { struck, shape } = await reopened(origin, { scene, fault, known, operations });
    seen.add(shape);
    if (!struck) break;
  }
  assert.ok(operations > 2, `only ${operations} operations were counted`);
  assert.deepEqual([...seen].sort(), [...new Set([first.shape, finished.shape])].sort());
  await rm(origin, { recursive: true });
}

/** Acts on a copy, on a disk that obeys so long; then opens what is left. */
async function reopened(
  origin: string,
  {
    scene,
    fault,
    known,
    operations,
  }: {
    readonly scene: Scene;
    readonly fault: DiskFault;
    readonly known: readonly string[];
    readonly operations: number;
  },
): Promise<{ readonly outcome: string; readonly shape: string; readonly struck: boolean }> {
  const directory = await folder();
  await cp(origin, directory, { recursive: true });
  let struck = false;
  const onStruck = (): void => {
    struck = true;
  };
  const end = await withDisk({ operations, fault, onStruck }, () => scene.act(directory));
  const ring = await open(directory, scene.at);
  await assertTidy(directory, ring);
  assert.ok(ring.issuer.current.certificate.ca);
  await rm(directory, { recursive: true });
  const outcome = end === "stalled" ? "stalled" : "done" in end ? "done" : "failed";
  return { outcome, shape: shapeOf(ring, known), struck };
}
