/** A mesh of programs that none of us wrote, from `test/meshes/real-programs`; "caller" may call them, "stranger" may not. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { buildGoModule } from "./go-program.ts";
import { PodAgent } from "./pod-agent.ts";
import { type RunningMesh, runMesh } from "./running-mesh.ts";

const MESHES = "test/meshes/real-programs";
const PATIENCE_MS = 60_000;

export interface ProgramsMesh {
  readonly mesh: RunningMesh;
  /**
   * Runs a command line in the caller's pod.
   *
   * @returns what it printed
   * @throws AssertionError unless it ends with 0
   */
  call(script: string, timeoutMs?: number): Promise<string>;
  readonly stranger: PodAgent;
  /** Process of a pod's sidecar; it may have joined a moment ago. */
  sidecarOf(pod: string): Promise<number>;
  /** What a pod's sidecar wrote about calls that came in. */
  inboundLog(pod: string): Promise<readonly AccessLogEntry[]>;
  stop(): Promise<void>;
}

/** @param folder of the servers; @param program what stands for the image `real-programs` */
export async function startProgramsMesh(
  folder: "databases" | "servers",
  program?: string,
): Promise<ProgramsMesh> {
  const images = await mkdtemp(join(tmpdir(), "hauberk-images-"));
  const file = join(images, "images.yaml");
  if (program !== undefined) await writeFile(file, imageOf(program));
  const folders = [MESHES, join(MESHES, folder)];
  const mesh = await runMesh(program === undefined ? folders : [...folders, file]);
  const caller = new PodAgent(mesh.data, "shop/caller-0");
  return {
    mesh,
    stranger: new PodAgent(mesh.data, "shop/stranger-0"),
    async call(script, timeoutMs = PATIENCE_MS) {
      const { code, output, errors } = await caller.runScript(script, timeoutMs);
      assert.equal(code, 0, `${script}: ${errors}${output}`);
      return output;
    },
    async sidecarOf(pod) {
      const { processes } = await mesh.currentState();
      const found = processes.find(({ title }) => title === `shop/${pod} sidecar`);
      assert.ok(found, `no sidecar of ${pod}`);
      return found.processId;
    },
    async inboundLog(pod) {
      const text = await mesh.read(`logs/shop/${pod}/access.log`);
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line): AccessLogEntry => JSON.parse(line))
        .filter(({ reporter }) => reporter === "destination");
    },
    async stop() {
      await mesh.stop();
      await rm(images, { recursive: true });
    },
  };
}

/** @returns the program of `test/interop/real-programs` */
export async function buildRealPrograms(): Promise<string> {
  return join(await buildGoModule("test/interop/real-programs"), "real-programs");
}

const imageOf = (program: string): string =>
  JSON.stringify({
    apiVersion: "hauberk.dev/v1",
    kind: "ImageCommands",
    metadata: { name: "real-programs" },
    spec: { images: [{ image: "real-programs", command: [program] }] },
  });
