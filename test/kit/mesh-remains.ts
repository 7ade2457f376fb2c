/** What a mesh left behind: processes, mounts, networks, sockets and files that should be gone with it. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export interface MeshTraces {
  readonly data: string;
  /** Where its processes put temporary files; nobody else's are there. */
  readonly temporary: string;
  /** Network namespaces that were its own, as `/proc/PID/ns/net` names them. */
  readonly networks: ReadonlySet<string>;
}

/**
 * Looks while the mesh runs.
 *
 * @throws Error when nothing is found: then nothing could be missed later
 */
export function traceMesh(
  data: string,
  { temporary, pods }: { readonly temporary: string; readonly pods: number },
): MeshTraces {
  const host = networkOf("self");
  const own = processIds().filter((id) => mentions(id, data));
  const networks = new Set(own.map(networkOf).filter((one) => one !== undefined && one !== host));
  // One for the router, one for each pod.
  if (networks.size !== pods + 1) {
    const told = own.map((id) => `${networkOf(id)} ${id}: ${commandOf(id)}`);
    throw new Error(`${networks.size} networks are in use:\n${told.join("\n")}`);
  }
  return { data, temporary, networks: networks as ReadonlySet<string> };
}

/** @returns a line for each thing that is left; none when all is gone */
export function remainsOf({ data, temporary, networks }: MeshTraces): readonly string[] {
  const processes = processIds().flatMap((id) => {
    if (isZombie(id)) return [];
    const network = networkOf(id);
    const inside = network !== undefined && networks.has(network);
    return inside || mentions(id, data) ? [`process ${id}: ${commandOf(id)}`] : [];
  });
  const mounts = processIds().flatMap((id) =>
    isZombie(id) || !read(`${id}/mountinfo`).includes(data)
      ? []
      : [`mounts that process ${id} sees`],
  );
  const held = read("self/mountinfo").match(/nsfs.*/g) ?? [];
  return [
    ...processes,
    ...mounts,
    ...held.filter((line) => [...networks].some((one) => line.includes(one))),
    ...entries(temporary).map((name) => `${temporary}/${name}`),
    ...entries(join(data, "network")).map((name) => `network/${name}`),
    ...entries(join(data, "pods")).flatMap((namespace) =>
      entries(join(data, "pods", namespace)).map((pod) => `pods/${namespace}/${pod}`),
    ),
    ...entries(data).filter((name) => /^(?:up\.lock|mesh\.sock)/.test(name)),
  ];
}

function processIds(): readonly string[] {
  return entries("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
}

function mentions(id: string, text: string): boolean {
  return read(`${id}/cmdline`).includes(text) || read(`${id}/environ`).includes(text);
}

function networkOf(id: string): string | undefined {
  try {
    return readlinkSync(`/proc/${id}/ns/net`);
  } catch {
    return undefined; // it has ended, or is not ours to see
  }
}

function isZombie(id: string): boolean {
  return /^State:\s+[ZX]/m.test(read(`${id}/status`));
}

function commandOf(id: string): string {
  return read(`${id}/cmdline`).replaceAll("\0", " ").slice(0, 200);
}

/** Below /proc; empty when it is gone. */
function read(file: string): string {
  try {
    return readFileSync(join("/proc", file), "utf8");
  } catch {
    return "";
  }
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
