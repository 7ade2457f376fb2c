import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ControlRequest, Hello } from "../control/control-socket-messages.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";
import { identifyProcess } from "../runtime/process-identity.ts";
import { type AskOptions, askControlPlane, ControlPlaneAwayError } from "./control-plane-client.ts";
import { DataDirectory } from "./data-directory.ts";
import { writeMeshState } from "./mesh-state.ts";

/** A mesh that runs, as far as its state says, and beside it a control plane that does as it is told. */
async function meshWith(hear: (request: ControlRequest | Hello, socket: Socket) => void) {
  const data = new DataDirectory(await mkdtemp(join(tmpdir(), "hauberk-")));
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const receive = (value: unknown): void => {
      const request = value as ControlRequest | Hello;
      heard.push(request.type);
      hear(request, socket);
    };
    readJsonLines(socket, receive, { maxLineCharacters: 1_000 });
  });
  await new Promise<void>((resolve) => server.listen(data.controlPlaneSocket, resolve));
  const supervisor = identifyProcess(process.pid);
  assert.ok(supervisor);
  await writeMeshState(data.meshState, {
    format: 2,
    supervisor,
    cluster: "here",
    controlPlane: "127.0.0.1:1",
    socket: data.socket,
    workloads: [],
    processes: [],
  });
  return {
    data,
    heard,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await rm(data.path, { recursive: true });
    },
  };
}

const REQUESTS: readonly ControlRequest[] = [
  { type: "ca-status" },
  { type: "ca-step", step: "prepare", force: false },
  { type: "metrics" },
  { type: "remote-clusters" },
  { type: "proxy-status" },
  { type: "view", pod: "shop/cart" },
  { type: "token-keys", sources: ["one"] },
  { type: "limits-left", counters: [] },
];

test("one that hangs is told within three seconds, whatever it is asked, and hears of no step", async () => {
  await using mesh = await meshWith(() => {});
  const begin = performance.now();
  await Promise.all(
    REQUESTS.map((request) =>
      assert.rejects(askControlPlane(mesh.data, request), (error) => {
        assert.ok(error instanceof ControlPlaneAwayError);
        assert.match(error.message, /\(it was silent for 2\.5 s\); it hangs, and kubectl rollout/);
        return true;
      }),
    ),
  );
  assert.ok(performance.now() - begin < 3_500, "it took longer");
  assert.deepEqual(new Set(mesh.heard), new Set(["hello"]));
});

test("one that runs may take longer over its answer than over its first word", async () => {
  await using mesh = await meshWith((request, socket) => {
    const answer = (): void => void writeJsonLine(socket, { type: "metrics", text: "late" });
    setTimeout(answer, request.type === "metrics" ? 2_800 : 0);
  });
  const reply = await askControlPlane(mesh.data, { type: "metrics" });
  assert.deepEqual(reply, { type: "metrics", text: "late" });
  assert.deepEqual(mesh.heard, ["hello", "metrics"]);
});

const IMPATIENT: AskOptions = { patienceMs: 50 };

test("whoever has less patience waits no longer, for the first word and for the answer", async () => {
  await using mute = await meshWith(() => {});
  await using slow = await meshWith((request, socket) => {
    if (request.type === "hello") writeJsonLine(socket, request);
  });
  for (const { data } of [mute, slow])
    await assert.rejects(
      askControlPlane(data, { type: "ca-status" }, IMPATIENT),
      /it was silent for 0\.05 s/,
    );
  assert.deepEqual(slow.heard, ["hello", "ca-status"]);
});
