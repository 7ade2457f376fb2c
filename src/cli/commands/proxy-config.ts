/** `hauberk proxy-config`: what a sidecar of the running mesh has, asked of the sidecar itself. */
import type { SidecarCertificates } from "../../identity/sidecar-certificates.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { MeshClient } from "../../local/joining/mesh-client.ts";
import {
  askSidecar,
  NoSidecarAnswerError,
  type SidecarQuestion,
} from "../../local/pods/ask-sidecar.ts";
import type { ClusterDump } from "../../proxy/admin-clusters.ts";
import type { ListenerDump } from "../../proxy/admin-listeners.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { LogLevel } from "../../runtime/log.ts";
import {
  clusterTable,
  endpointList,
  endpointTable,
  listenerTable,
} from "../format-proxy-config.ts";
import { envoySecrets, secretTable } from "../format-secrets.ts";
import { jsonText } from "../json-text.ts";
import type { Print } from "../print-line.ts";

export interface SidecarOptions {
  readonly data: string;
  readonly namespace: string;
}

export interface ProxyConfigOptions extends SidecarOptions {
  readonly output: "table" | "json";
}

/** @throws NoMeshError, NoSidecarAnswerError */
export async function proxyConfigSecretCommand(
  text: string,
  { output, ...options }: ProxyConfigOptions,
  { print, clock }: { readonly print: Print; readonly clock: Clock },
): Promise<number> {
  const certificates = await ask<SidecarCertificates>(text, { ...options, path: "/certs" });
  if (output === "json") print(jsonText(envoySecrets(certificates)));
  else for (const line of secretTable(certificates, clock.now())) print(line);
  return 0;
}

export type ProxyConfigPart = "listeners" | "clusters" | "endpoints";

/** @throws NoMeshError, NoSidecarAnswerError */
export async function proxyConfigPartCommand(
  part: ProxyConfigPart,
  text: string,
  { output, print, ...options }: ProxyConfigOptions & { readonly print: Print },
): Promise<number> {
  const { data, table } = await partOf(part, text, options);
  if (output === "json") print(jsonText(data));
  else for (const line of table) print(line);
  return 0;
}

/**
 * Tells how much the sidecar logs, or changes it until the sidecar is started again.
 *
 * @throws NoMeshError, NoSidecarAnswerError
 */
export async function proxyConfigLogCommand(
  text: string,
  {
    level,
    print,
    ...options
  }: SidecarOptions & { readonly level?: LogLevel; readonly print: Print },
): Promise<number> {
  const question: SidecarQuestion =
    level === undefined
      ? { path: "/logging" }
      : { method: "POST", path: `/logging?level=${level}` };
  const answer = await ask<{ readonly level: string }>(text, { ...options, ...question });
  print(`level: ${answer.level}`);
  return 0;
}

async function partOf(
  part: ProxyConfigPart,
  text: string,
  options: SidecarOptions,
): Promise<{ readonly data: unknown; readonly table: readonly string[] }> {
  if (part === "listeners") {
    const data = await ask<readonly ListenerDump[]>(text, { ...options, path: "/listeners" });
    return { data, table: listenerTable(data) };
  }
  const data = await ask<readonly ClusterDump[]>(text, { ...options, path: "/clusters" });
  return part === "clusters"
    ? { data, table: clusterTable(data) }
    : { data: endpointList(data), table: endpointTable(data) };
}

const KINDS = /^(?:po|pods?|deploy|deployments?|sts|statefulsets?|jobs?)(?:\.apps|\.batch)?\/(.+)$/;

/**
 * The names that istioctl takes, and our own `NAMESPACE/NAME`.
 *
 * @returns the name of a pod, or of what its pod was made from
 */
export function podNamed(
  text: string,
  namespace: string,
): { readonly namespace: string; readonly name: string } {
  const ofKind = KINDS.exec(text)?.[1];
  const slash = ofKind === undefined ? text.indexOf("/") : -1;
  if (slash > 0) return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
  const name = ofKind ?? text;
  const dot = name.lastIndexOf(".");
  return dot > 0
    ? { namespace: name.slice(dot + 1), name: name.slice(0, dot) }
    : { namespace, name };
}

/** @returns what the sidecar answers, of this same version */
async function ask<T>(
  text: string,
  { data, namespace, ...question }: SidecarOptions & SidecarQuestion,
): Promise<T> {
  const socket = await adminSocketOf(new DataDirectory(data), podNamed(text, namespace));
  return JSON.parse(await askSidecar(socket, question)) as T;
}

async function adminSocketOf(
  dataDirectory: DataDirectory,
  pod: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const client = await MeshClient.connect(dataDirectory);
  try {
    const reply = await client.ask({ type: "sidecar", ...pod });
    if (reply.type === "sidecar") return reply.adminSocket;
    throw new NoSidecarAnswerError(reply.type === "refused" ? reply.problem : reply.type);
  } finally {
    client.close();
  }
}
