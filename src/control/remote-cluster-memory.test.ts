import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type RecordedLog, recordedLog } from "../../test/kit/recorded-log.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { ExportedService } from "../policy/exported-services.ts";
import { RemoteClusterMemory } from "./remote-cluster-memory.ts";

const SERVICES: readonly ExportedService[] = [
  {
    namespace: "shop",
    name: "api",
    identities: [parseSpiffeId("spiffe://cluster.local/ns/shop/sa/api")],
    ports: [],
  },
];
const HEARD_AT = new Date("2026-01-31T12:00:00Z");

async function open(
  context: TestContext,
): Promise<{ folder: string; log: RecordedLog; memory: RemoteClusterMemory }> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(folder, { recursive: true }));
  const log = recordedLog();
  return { folder, log, memory: new RemoteClusterMemory(folder, log) };
}

test("what was said last, and when it was last known to be true; for its owner alone", async (context) => {
  const { folder, log, memory } = await open(context);
  assert.deepEqual(await memory.recall(["east"]), new Map());
  memory.remember("east", { services: [], heardAt: new Date(0) });
  memory.remember("east", { services: SERVICES, heardAt: new Date(0) });
  memory.confirm("east", HEARD_AT);
  await memory.close();
  const again = new RemoteClusterMemory(folder, log);
  assert.deepEqual(
    await again.recall(["east", "north"]),
    new Map([["east", { services: SERVICES, heardAt: HEARD_AT }]]),
  );
  const file = await stat(join(folder, "remote-clusters", "east.pb"));
  assert.equal(file.mode & 0o777, 0o600);
  assert.deepEqual(log.lines, []);
});

test("what nobody asks for any more is forgotten", async (context) => {
  const { folder, memory } = await open(context);
  for (const name of ["east", "north"])
    memory.remember(name, { services: SERVICES, heardAt: HEARD_AT });
  await memory.close();
  await memory.recall(["north"]);
  await memory.close();
  assert.deepEqual(await readdir(join(folder, "remote-clusters")), ["north.pb"]);
});

test("a broken file is told of, and no more", async (context) => {
  const { folder, log, memory } = await open(context);
  memory.remember("east", { services: SERVICES, heardAt: HEARD_AT });
  await memory.close();
  await writeFile(join(folder, "remote-clusters", "east.pb"), "no message");
  assert.deepEqual(await memory.recall(["east"]), new Map());
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    ["what a remote cluster said last cannot be read"],
  );
});
