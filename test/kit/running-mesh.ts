/** `hauberk up` as a process of its own, for tests that look at a mesh from outside. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { MeshState } from "../../src/local/mesh-state.ts";
import type { Workload } from "../../src/policy/workload.ts";
import { productCommand } from "./product-command.ts";

export interface RunningMesh {
  readonly data: string;
  readonly state: MeshState;
  workload(owner: string): Workload;
  /** What the state file says now. */
  currentState(): Promise<MeshState>;
  /** Text of a file below the data directory. */
  read(path: string): Promise<string>;
  /** Of the only authority. */
  rootPem(): Promise<string>;
  stop(): Promise<void>;
}

export interface RunningMeshOptions {
  /** The data directory; a temporary one, removed at the end, when absent. */
  readonly data?: string;
  /** In place of `node`, with its flags. */
  readonly program?: readonly [string, ...string[]];
  /** More of `hauberk up`. */
  readonly parameters?: readonly string[];
}

/** @param options a path alone is that of the data directory */
export async function runMesh(
  files: readonly string[],
  options: string | RunningMeshOptions = {},
): Promise<RunningMesh> {
  const {
    data: folder,
    program = [process.execPath],
    parameters = [],
  }: RunningMeshOptions = typeof options === "string" ? { data: options } : options;
  const data = folder ?? (await mkdtemp(join(tmpdir(), "hauberk-")));
  const [executable, ...flags] = program;
  const child = spawn(
    executable,
    [
      ...flags,
      ...productCommand(),
      "up",
      "--network",
      "loopback",
      "--data",
      data,
      ...files.flatMap((file) => ["-f", file]),
      ...parameters,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (line.startsWith("the mesh is up")) break;
  }
  if (!said.at(-1)?.startsWith("the mesh is up")) {
    throw new Error(`the mesh did not come up:\n${said.join("\n")}`);
  }
  child.stdout.resume();
  const currentState = async (): Promise<MeshState> =>
    JSON.parse(await readFile(join(data, "mesh.json"), "utf8")) as MeshState;
  const state = await currentState();
  return {
    data,
    state,
    currentState,
    workload(owner) {
      const found = state.workloads.find((workload) => workload.owner === owner);
      if (found === undefined) throw new Error(`no workload ${owner}`);
      return found;
    },
    read: (path) => readFile(join(data, path), "utf8"),
    async rootPem() {
      const [authority = "none"] = await readdir(join(data, "ca", "authorities"));
      return readFile(join(data, "ca", "authorities", authority, "root-cert.pem"), "utf8");
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      if (folder === undefined) await rm(data, { recursive: true, force: true });
    },
  };
}
