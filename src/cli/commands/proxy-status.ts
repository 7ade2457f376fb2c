/**
 * `hauberk proxy-status`: which sidecars have what the control plane sent last; of one pod also what is otherwise. Exit 0; 1:
 * no mesh runs there.
 */
import type { ProxyStatus } from "../../control/control-socket-messages.ts";
import { askControlPlane } from "../../local/control-plane-client.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { findMesh, NoMeshError } from "../../local/joining/mesh-client.ts";
import { NoSidecarAnswerError } from "../../local/pods/ask-sidecar.ts";
import { alignColumns } from "../align-columns.ts";
import { type Comparison, compareDumps } from "../istioctl/compare-dumps.ts";
import { configOfView } from "../istioctl/proxy-dump.ts";
import type { Print } from "../print-line.ts";
import { printedDump, sidecarDump } from "./proxy-config.ts";

/** @throws NoMeshError, ControlPlaneAwayError, NoSidecarAnswerError when the pod that is asked for has no sidecar */
export async function proxyStatusCommand({
  data,
  pod,
  print,
}: {
  readonly data: string;
  /** `NAMESPACE/NAME` of a pod, or of what its pods were made from; absent: all. */
  readonly pod?: string;
  readonly print: Print;
}): Promise<number> {
  const directory = new DataDirectory(data);
  const { cluster, workloads } = await findMesh(directory);
  const reply = await askControlPlane(directory, { type: "proxy-status" });
  if (reply.type !== "proxy-status")
    throw new NoMeshError("the control plane is of another version");
  const injected = workloads.filter((workload) => workload.injected);
  const all = injected.map(({ namespace, name }) => `${namespace}/${name}`);
  const pods = pod === undefined ? all : podsOf(pod, all);
  if (pods.length === 0 && pod !== undefined)
    throw new NoSidecarAnswerError(`${pod} has no sidecar; there are ${all.join(", ")}`);
  for (const line of proxyStatusTable(pods, reply.proxies, cluster)) print(line);
  const [first] = pods;
  const compared =
    pod === undefined || first === undefined ? undefined : await compareWithView(first, data);
  for (const line of compared?.lines ?? []) print(line);
  return 0;
}

/**
 * @param pod `namespace/pod`
 * @returns undefined where there is nothing to be compared
 */
async function compareWithView(pod: string, data: string): Promise<Comparison | undefined> {
  const reply = await askControlPlane(new DataDirectory(data), { type: "view", pod });
  if (reply.type !== "view" || reply.view === null) return undefined;
  const dump = await sidecarDump(pod, { data, namespace: "" });
  const wanted = configOfView(reply.view, dump);
  return wanted && compareDumps(wanted, printedDump(dump).config);
}

/** A pod by its name, or those that were made from what has it. */
function podsOf(named: string, all: readonly string[]): readonly string[] {
  const ofOwner = (one: string): boolean =>
    one.startsWith(`${named}-`) && /^[a-z0-9]+(?:-b)?$/.test(one.slice(named.length + 1));
  return all.includes(named) ? [named] : all.filter(ofOwner);
}

/** @param pods those that have a sidecar, as `namespace/pod` */
export function proxyStatusTable(
  pods: readonly string[],
  proxies: readonly ProxyStatus[],
  cluster: string,
): readonly string[] {
  const rows = pods.toSorted().flatMap((pod) => {
    const own = proxies.filter((proxy) => proxy.pod === pod);
    const name = podName(pod);
    if (own.length === 0) return [[name, cluster, "NOT CONNECTED", "-"]];
    return own.map((proxy) => [name, cluster, wordsOf(proxy), proxy.versionAcked ?? "-"]);
  });
  return alignColumns([["NAME", "CLUSTER", "VIEW", "VERSION"], ...rows]);
}

/** `POD.NAMESPACE`, as istioctl writes it. */
function podName(pod: string): string {
  const [namespace, name] = pod.split("/");
  return `${name}.${namespace}`;
}

/** Envoy has a line for each thing that it refuses. */
function inOneLine(error: string): string {
  return error.trim().replace(/\s*\n\s*/g, "; ");
}

/** The proxy's own words come first: it is what judges. */
function wordsOf({ versionSent, versionAcked, nackedError, envoy = [] }: ProxyStatus): string {
  if (nackedError !== undefined) return `REFUSED: ${nackedError}`;
  const refused = envoy.find(({ state }) => state === "refused");
  if (refused !== undefined)
    return `REFUSED by Envoy: ${refused.type}: ${inOneLine(refused.error ?? "")}`;
  const awaited = envoy.filter(({ state }) => state === "awaited").map(({ type }) => type);
  if (awaited.length > 0) return `STALE in Envoy: ${awaited.join(", ")}`;
  if (versionSent === undefined) return envoy.length === 0 ? "NOT SENT" : "SYNCED";
  return versionSent === versionAcked ? "SYNCED" : "STALE";
}
