/** A mesh that questions such as `explain` are asked of: as its files describe it, without running it, or one that runs. */
import type { ParsedResources } from "../api/parse-resources.ts";
import type { Issue, Notice, Resource } from "../api/resource.ts";
import { controlPlaneFlags } from "../control/control-plane-flags.ts";
import { readResourceFiles } from "../control/resource-files.ts";
import { TextReader } from "../control/written-texts.ts";
import { DataDirectory, DEFAULT_DATA_DIRECTORY } from "../local/data-directory.ts";
import { findMesh, MeshClient, NoMeshError } from "../local/joining/mesh-client.ts";
import { meshNotices } from "../policy/mesh-notices.ts";
import { buildSnapshot, type MeshSnapshot } from "../policy/mesh-snapshot.ts";
import { type Placement, planWorkloads } from "../policy/plan-workloads.ts";
import type { Workload } from "../policy/workload.ts";

export interface LoadedMesh {
  readonly resources: readonly Resource[];
  readonly workloads: readonly Workload[];
  readonly snapshot: MeshSnapshot;
  /** When there are any, the rest is not to be relied on: what is broken is missing. */
  readonly issues: readonly Issue[];
  /** Of each file, and, where there are no issues, of the mesh as a whole. */
  readonly notices: readonly Notice[];
}

/** Nothing listens: every socket is thought of on loopback, at the port that the resources name. */
const OFFLINE: Placement = {
  place: (key) => ({ address: "127.0.0.1", port: Number(/\d+$/.exec(key)?.[0] ?? 0) }),
  uid: (key) => key,
};

/**
 * @param paths files, and folders of files
 * @throws FlagError
 */
export async function loadMesh(paths: readonly string[]): Promise<LoadedMesh> {
  const parsed = await readResourceFiles(paths, { namedPipes: "read" });
  return loaded(parsed, planWorkloads(parsed.resources, OFFLINE));
}

/**
 * @param asked.file files, and folders of files; absent: the mesh that runs with its data in `asked.data`
 * @throws FlagError, NoMeshError
 */
export function loadAskedMesh({
  file,
  data = DEFAULT_DATA_DIRECTORY,
}: {
  readonly file?: readonly string[] | undefined;
  readonly data?: string | undefined;
}): Promise<LoadedMesh> {
  return file === undefined ? loadRunningMesh(data) : loadMesh(file);
}

/** @throws FlagError, NoMeshError */
async function loadRunningMesh(data: string): Promise<LoadedMesh> {
  const dataDirectory = new DataDirectory(data);
  const client = await MeshClient.connect(dataDirectory);
  try {
    const reply = await client.ask({ type: "written" });
    if (reply.type !== "written") throw new NoMeshError("the mesh is of another version");
    const { workloads } = await findMesh(dataDirectory);
    return loaded(new TextReader().read(reply.texts), workloads);
  } finally {
    client.close();
  }
}

function loaded(parsed: ParsedResources, workloads: readonly Workload[]): LoadedMesh {
  const { resources, issues } = parsed;
  const { gatewaySelectors, gatewayScope } = controlPlaneFlags(process.env);
  const options = { gatewaySelectors, gatewayScope };
  const snapshot = buildSnapshot({ resources, workloads, rootsPem: [], ...options });
  return {
    resources,
    workloads,
    snapshot,
    issues,
    notices: noticesOf(parsed, { running: workloads }),
  };
}

/** Any: nobody is called by it. */
const POD_ADDRESSES = { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" };

/** The same, where each pod has a network of its own. */
const OFFLINE_IN_NAMESPACES: Placement = { ...OFFLINE, addresses: () => POD_ADDRESSES };

/**
 * Of each file, and, where there are no issues, of the mesh as a whole.
 *
 * @param mesh.mode of the mesh that runs; one that does not may come to share the machine's loopback
 * @param mesh.running its workloads: those of `hauberk run` are written nowhere
 */
export function noticesOf(
  { resources, issues, notices }: ParsedResources,
  {
    mode = "loopback",
    running = [],
  }: {
    readonly mode?: "loopback" | "namespaces";
    readonly running?: readonly Workload[];
  } = {},
): readonly Notice[] {
  if (issues.length > 0) return notices;
  const placement = mode === "namespaces" ? OFFLINE_IN_NAMESPACES : OFFLINE;
  const planned = planWorkloads(resources, placement);
  const written = new Set(planned.map(ownerOf));
  const joined = running.filter((one) => !written.has(ownerOf(one)));
  return [...notices, ...meshNotices(resources, [...planned, ...joined])];
}

function ownerOf({ namespace, owner }: Workload): string {
  return `${namespace}/${owner}`;
}
