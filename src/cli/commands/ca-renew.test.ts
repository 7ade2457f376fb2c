import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openAuthorityRing } from "../../ca/authority-ring.ts";
import { takeMeshLock } from "../../local/mesh-lock.ts";
import { systemClock } from "../../runtime/clock.ts";
import { caRenewCommand } from "./ca-renew.ts";

const AHEAD = new Date("2060-01-01T00:00:00Z");

async function dataDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(directory, { recursive: true }));
  return directory;
}

async function renew(data: string): Promise<{ code: number; said: string }> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const printers = { print: say, warn: say, clock: systemClock };
  const code = await caRenewCommand({ data }, printers);
  return { code, said: lines.join("\n") };
}

test("an authority that was made under a wrong clock is replaced while the mesh is down, and only such a one", async (context) => {
  const directory = await dataDirectory(context);
  assert.deepEqual((await renew(directory)).code, 1);
  const early = { directory, trustDomain: "prod.example", clock: { now: () => AHEAD } };
  await openAuthorityRing(early);
  const lock = await takeMeshLock(join(directory, "up.lock"));
  await assert.rejects(renew(directory), /a mesh already runs with this data directory/);
  await lock.release();
  const { code, said } = await renew(directory);
  assert.equal(code, 0);
  assert.match(said, /can sign nothing yet: .*has taken its place; its key is kept/);
  const again = await renew(directory);
  assert.equal(again.code, 1);
  assert.match(again.said, /nothing was changed: authority [0-9a-f]{16} is valid now/);
  const ring = await openAuthorityRing({ directory, trustDomain: "prod.example" });
  assert.deepEqual(
    ring.status().map(({ subject, state }) => [subject, state]),
    [["O=prod.example", "active"]],
  );
});
