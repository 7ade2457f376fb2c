/** `hauberk proxy-config`: what a sidecar of the running mesh has, asked of the sidecar itself; or an Envoy's dump in a file. */
import type { SidecarCertificates } from "../../identity/sidecar-certificates.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { MeshClient } from "../../local/joining/mesh-client.ts";
import {
  askSidecar,
  NoSidecarAnswerError,
  type SidecarQuestion,
} from "../../local/pods/ask-sidecar.ts";
import type { SidecarDump } from "../../proxy/admin-dump.ts";
import type { Clock } from "../../runtime/clock.ts";
import { envoySecrets, secretTable } from "../format-secrets.ts";
import {
  type DumpFilter,
  type DumpPartName,
  istioctlJson,
  istioctlYaml,
  type Output,
  printAll,
  printPart,
} from "../istioctl/print-dump.ts";
import {
  type AgentDump,
  dumpOfAgent,
  dumpOfEnvoy,
  dumpOfSidecar,
  type ProxyDump,
} from "../istioctl/proxy-dump.ts";
import { secretSummary } from "../istioctl/secret-summary.ts";
import { toldLevels } from "../istioctl/written-levels.ts";
import type { Print } from "../print-line.ts";
import { NoConfigDumpError, readDump } from "../read-dump.ts";

export interface SidecarOptions {
  readonly data: string;
  readonly namespace: string;
}

export interface ProxyConfigOptions extends SidecarOptions, DumpFilter {
  readonly output: Output;
  /** An Envoy's dump, to be read instead. */
  readonly file?: string;
}

interface Surroundings {
  readonly print: Print;
  readonly clock: Clock;
}

/** @throws NoMeshError, NoSidecarAnswerError, NoConfigDumpError */
export async function proxyConfigSecretCommand(
  text: string | undefined,
  { output, file, ...options }: ProxyConfigOptions,
  { print, clock }: Surroundings,
): Promise<number> {
  const now = clock.now();
  if (file !== undefined || text === undefined) {
    const { secrets } = await proxyDump(text, { ...options, ...(file !== undefined && { file }) });
    show(output, secrets, () => secretSummary(secrets, { now }), print);
  } else {
    const certificates = await ask<SidecarCertificates>(text, { ...options, path: "/certs" });
    show(output, envoySecrets(certificates), () => secretTable(certificates, now), print);
  }
  return 0;
}

/** @throws NoMeshError, NoSidecarAnswerError, NoConfigDumpError */
export async function proxyConfigPartCommand(
  part: DumpPartName,
  text: string | undefined,
  { print, ...options }: ProxyConfigOptions & { readonly print: Print },
): Promise<number> {
  const dump = await proxyDump(text, options);
  for (const line of printPart(part, dump, options)) print(line);
  return 0;
}

/** @throws NoMeshError, NoSidecarAnswerError, NoConfigDumpError */
export async function proxyConfigAllCommand(
  text: string | undefined,
  options: ProxyConfigOptions & { readonly withHeaders?: boolean },
  { print, clock }: Surroundings,
): Promise<number> {
  const dump = await proxyDump(text, options);
  for (const line of printAll(dump, { ...options, now: clock.now() })) print(line);
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
    level: written,
    print,
    ...options
  }: SidecarOptions & { readonly level?: string; readonly print: Print },
): Promise<number> {
  for (const line of await toldLevels(written, (question) =>
    ask(text, { ...options, ...question }),
  ))
    print(line);
  return 0;
}

/**
 * Of the pod's sidecar, or out of the file.
 *
 * @throws NoMeshError, NoSidecarAnswerError, NoConfigDumpError
 */
export async function proxyDump(
  text: string | undefined,
  { file, data, namespace }: SidecarOptions & Pick<ProxyConfigOptions, "file">,
): Promise<ProxyDump> {
  if ((file === undefined) === (text === undefined))
    throw new NoConfigDumpError("expected a pod, or --file with an Envoy's config dump");
  if (text === undefined) return dumpOfEnvoy(await readDump(file ?? ""));
  return printedDump(await sidecarDump(text, { data, namespace }));
}

/**
 * As it is told by the sidecar of a pod.
 *
 * @throws NoMeshError, NoSidecarAnswerError
 */
export function sidecarDump(
  text: string,
  options: SidecarOptions,
): Promise<SidecarDump | AgentDump> {
  return ask(text, { ...options, path: "/config_dump" });
}

export function printedDump(dump: SidecarDump | AgentDump): ProxyDump {
  return "configs" in dump ? dumpOfAgent(dump) : dumpOfSidecar(dump);
}

function show(output: Output, data: object, table: () => readonly string[], print: Print): void {
  if (output === "json") print(istioctlJson(data));
  else if (output === "yaml") print(istioctlYaml(data));
  else for (const line of table()) print(line);
}

const KINDS =
  /^(?:po|pods?|deploy|deployments?|rs|replicasets?|sts|statefulsets?|jobs?)(?:\.apps|\.batch)?\/(.+)$/;

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
