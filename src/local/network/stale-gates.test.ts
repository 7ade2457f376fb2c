import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { EGRESS_SOCKET, GATE_FOLDER, removeStaleGates } from "./stale-gates.ts";

const folder = await mkdtemp(join(tmpdir(), "hauberk-stale-"));
after(() => rm(folder, { recursive: true, force: true }));

/** A listener that was killed leaves its socket behind. */
async function killListener(socket: string): Promise<void> {
  const program = `require("net").createServer().listen(${JSON.stringify(socket)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
}

test("only the folder of a host side that was killed is removed", async () => {
  const [killed, alive, young, another] = [
    `${GATE_FOLDER}killed`,
    `${GATE_FOLDER}alive`,
    `${GATE_FOLDER}young`,
    "another-killed",
  ].map((name) => join(folder, name)) as [string, string, string, string];
  for (const one of [killed, alive, young, another]) await mkdir(one);
  await killListener(join(killed, EGRESS_SOCKET));
  await killListener(join(another, EGRESS_SOCKET));
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(join(alive, EGRESS_SOCKET)), "listening");
  try {
    assert.equal((await readdir(folder)).length, 4);
    await removeStaleGates(folder);
    assert.deepEqual((await readdir(folder)).sort(), [
      "another-killed",
      `${GATE_FOLDER}alive`,
      `${GATE_FOLDER}young`,
    ]);
  } finally {
    server.close();
  }
});
