import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DataDirectory } from "../local/data-directory.ts";
import { writeMeshState } from "../local/mesh-state.ts";
import type { MeshStatus } from "../local/mesh-status.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";
import { identifyProcess } from "../runtime/process-identity.ts";
import { askMeshStatus } from "./ask-mesh-status.ts";

const STATUS: MeshStatus = {
  controlPlane: { name: "control plane", phase: "running", restarts: 0, listen: "127.0.0.1:1" },
  pods: [],
};

/** A supervisor that answers, and beside it the control plane of `controlPlane`. */
async function mesh(controlPlane: Server) {
  const data = new DataDirectory(await mkdtemp(join(tmpdir(), "hauberk-")));
  const supervisor = createServer((socket) => {
    readJsonLines(socket, () => writeJsonLine(socket, { type: "status", status: STATUS }), {
      maxLineCharacters: 1_000,
    });
  });
  for (const [server, path] of [
    [supervisor, data.socket],
    [controlPlane, data.controlPlaneSocket],
  ] as const)
    await new Promise<void>((resolve) => server.listen(path, resolve));
  const self = identifyProcess(process.pid);
  assert.ok(self);
  await writeMeshState(data.meshState, {
    format: 2,
    supervisor: self,
    cluster: "here",
    controlPlane: "127.0.0.1:1",
    socket: data.socket,
    workloads: [],
    processes: [],
  });
  return {
    data,
    [Symbol.asyncDispose]: async () => {
      supervisor.close();
      controlPlane.close();
      await rm(data.path, { recursive: true });
    },
  };
}

test("a control plane that takes connections and says nothing is told within three seconds", async () => {
  await using running = await mesh(createServer((socket) => socket.on("error", () => {}).resume()));
  const begin = performance.now();
  const { controlPlaneAway, ...rest } = await askMeshStatus(running.data);
  assert.ok(performance.now() - begin < 3_500, "it took longer");
  assert.match(controlPlaneAway ?? "", /^the control plane .* does not answer/);
  assert.match(controlPlaneAway ?? "", /it hangs, and kubectl rollout restart deployment istiod/);
  assert.match(controlPlaneAway ?? "", /control-plane\.log$/);
  assert.deepEqual(rest, STATUS);
});

test("one that answers is not away", async () => {
  const answering = createServer((socket) => {
    const answer = (): void => {
      writeJsonLine(socket, { type: "ca-status", status: { warnings: ["an end nears"] } });
    };
    readJsonLines(socket, answer, { maxLineCharacters: 1_000 });
  });
  await using running = await mesh(answering);
  const { controlPlaneAway, certificateWarnings } = await askMeshStatus(running.data);
  assert.equal(controlPlaneAway, undefined);
  assert.deepEqual(certificateWarnings, ["an end nears"]);
});
