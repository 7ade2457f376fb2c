/** Meshes under one root, as the guide makes them: its own openssl commands, `hauberk up --cluster`, `hauberk remote-cluster`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  RemoteClusterState,
  RemoteClustersOverview,
} from "../../src/control/remote-cluster-state.ts";
import { runHauberk } from "./hauberk-command.ts";
import { type RunningMesh, runMesh } from "./running-mesh.ts";

const GUIDE = "docs/guides/several-clusters.md";
const EXAMPLE = "examples/two-clusters";
const QUICK_CALLERS = { 'CALLS_PER_SECOND, value: "1"': 'CALLS_PER_SECOND, value: "20"' };

/** Runs what the guide says, in `folder`: `authorities/east` and `authorities/west` are there then. */
export async function makeAuthorities(folder: string): Promise<void> {
  const blocks = (await readFile(GUIDE, "utf8")).matchAll(/```\n([\s\S]*?)```/g);
  const script = [...blocks].map(([, text = ""]) => text).find((text) => text.includes("openssl"));
  assert.ok(script !== undefined, `${GUIDE} has no openssl commands`);
  const { status, stderr } = spawnSync("bash", ["-euc", script], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

/** Text, and what it becomes. */
export type Replacements = Readonly<Record<string, string>>;

export interface ClusterToRun {
  /** Holds all that is made. */
  readonly folder: string;
  /** Of the data directory and of the copy of the files. */
  readonly name: string;
  /** Which folder of the example it runs. */
  readonly files: "east" | "west";
  /** As others call it; `name` when absent. */
  readonly cluster?: string;
  /** Folder of its authority; "self-signed" for one of its own. */
  readonly authority: string;
  /** Of its files, by name. */
  readonly changes?: Readonly<Record<string, Replacements>>;
  /** Further files, by name. */
  readonly more?: Readonly<Record<string, string>>;
}

export interface ClusterMesh extends RunningMesh {
  /** Folder of its resources. */
  readonly files: string;
  /** Of `hauberk status`. */
  status(): Promise<ClusterStatus>;
  /** Its only remote cluster. */
  remote(): Promise<RemoteClusterState | undefined>;
  /** Replaces text in one of its files. */
  change(file: string, replacements: Replacements): Promise<void>;
}

export interface ClusterStatus {
  readonly code: number | null;
  readonly troubles: readonly string[];
  readonly remoteClusters: RemoteClustersOverview;
}

export async function runCluster(wanted: ClusterToRun): Promise<ClusterMesh> {
  const { folder, name, cluster = name, authority, changes = {}, more = {} } = wanted;
  const files = join(folder, "files", name);
  await mkdir(join(folder, "files"), { recursive: true });
  await cp(join(EXAMPLE, wanted.files), files, { recursive: true });
  const change: ClusterMesh["change"] = async (file, replacements) => {
    const path = join(files, file);
    let text = await readFile(path, "utf8");
    for (const [from, to] of Object.entries(replacements)) {
      assert.ok(text.includes(from), `${file} has no ${from}`);
      text = text.replaceAll(from, to);
    }
    await writeFile(path, text);
  };
  if (wanted.files === "west") await change("mesh.yaml", QUICK_CALLERS);
  for (const [file, replacements] of Object.entries(changes)) await change(file, replacements);
  for (const [file, text] of Object.entries(more)) await writeFile(join(files, file), text);
  const authorityParameters = authority === "self-signed" ? [] : ["--cacerts", authority];
  const mesh = await runMesh([files], {
    data: join(folder, "data", name),
    parameters: ["--cluster", cluster, ...authorityParameters],
  });
  const status = (): Promise<ClusterStatus> => statusOf(mesh.data);
  const remote = async (): Promise<RemoteClusterState | undefined> =>
    (await status()).remoteClusters.remoteClusters[0];
  return { ...mesh, files, status, remote, change };
}

/** What `hauberk remote-cluster` prints of a mesh. */
export async function remoteClusterOf({ data }: Pick<RunningMesh, "data">): Promise<string> {
  const { code, output, errors } = await runHauberk(["remote-cluster", "--data", data]);
  assert.equal(code, 0, errors);
  return output;
}

/** All that are planned in it. */
export function portsOf({ state }: RunningMesh): readonly number[] {
  const sockets = state.workloads.flatMap(({ ports, outboundListeners, httpProxy }) => [
    ...ports.flatMap(({ listen, application }) => [listen, application]),
    ...outboundListeners.map(({ listen }) => listen),
    ...(httpProxy === undefined ? [] : [httpProxy]),
  ]);
  const controlPlane = Number(state.controlPlane.split(":").at(-1));
  return [controlPlane, ...new Set(sockets.map(({ port }) => port))];
}

async function statusOf(data: string): Promise<ClusterStatus> {
  const { code, output, errors } = await runHauberk(["status", "--json", "--data", data]);
  assert.notEqual(output, "", errors);
  return { ...(JSON.parse(output) as Omit<ClusterStatus, "code">), code };
}
