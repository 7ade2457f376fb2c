/**
 * Tries once, in namespaces that end with the trial, all that a mesh will ask of the kernel and its tools: what is only
 * read from settings may still be refused.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DEFAULT_INTERCEPTION } from "../../api/interception-settings.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { closedDescriptors } from "../processes/inherited-descriptors.ts";
import { type Command, encloseContainer, encloseSidecar } from "./enclosure.ts";
import { hostFiles } from "./host-files.ts";
import type { MeshUser } from "./host-side.ts";
import { meshNamespaceCommand } from "./mesh-namespace.ts";
import {
  BRIDGE,
  POD_INTERFACE,
  ROUTER_ADDRESSES,
  ROUTER_PORTS,
  SIDECAR_MARK,
} from "./mesh-ranges.ts";
import { podRules } from "./pod-rules.ts";
import { routerRules } from "./router-rules.ts";
import { systemPath, systemProgram } from "./system-programs.ts";

const TIMEOUT_MS = 5_000;

/** In this order; "namespaces" is all that comes before the script's first line. */
const STEPS = [
  "namespaces",
  "files",
  "bridge",
  "pod",
  "settings",
  "rules",
  "container",
  "sidecar",
] as const;
export type TrialStep = (typeof STEPS)[number];

export type TrialOutcome =
  | { readonly result: "passed" }
  /** `words` are the failed tool's own. */
  | { readonly result: "failed"; readonly step: TrialStep; readonly words: string };

/** Says which step it is at, so that the last one said is the one that failed. */
function script(
  folder: string,
  enclosures: Readonly<Record<"container" | "sidecar", Command>>,
): string {
  const [mount, ip, nft] = (["mount", "ip", "nft"] as const).map((name) =>
    quote([systemProgram(name)]),
  );
  const enter = quote([systemProgram("nsenter"), "--net=./net", "--"]);
  const podRulesText = trialRules();
  return `set -e
echo files
${mount} -t tmpfs -o mode=0700 hauberk ${quote([folder])}
cd ${quote([folder])}
mkdir tmp
echo bridge
${ip} link set lo up
${ip} link add ${BRIDGE} type bridge
${ip} link set ${BRIDGE} up
echo pod
: > net
${quote([systemProgram("unshare"), "--net=./net", "--", "true"])}
${ip} link add pod type veth peer name ${POD_INTERFACE} netns ./net
${ip} link set pod master ${BRIDGE} up
echo settings
${enter} sh -c 'echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start'
echo rules
printf %s ${quote([routerRules()])} | ${nft} -f -
printf %s ${quote([podRulesText])} | ${enter} ${nft} -f -
echo container
chmod 0777 tmp
${quote(enclosures.container)}
echo sidecar
${quote(enclosures.sidecar)}
echo passed`;
}

/** @param sidecarFiles what a sidecar has to be able to read */
export async function tryNetwork(
  user: MeshUser,
  sidecarFiles: readonly string[],
): Promise<TrialOutcome> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-trial-"));
  try {
    return await runTrial(user, script(folder, enclosuresOf(user, { folder, sidecarFiles })));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runTrial(user: MeshUser, shellScript: string): Promise<TrialOutcome> {
  const [program, ...parameters] = meshNamespaceCommand(user, ["/bin/sh", "-c", shellScript]);
  const [, , , ...others] = closedDescriptors();
  const child = spawn(program, parameters, {
    cwd: "/",
    env: { PATH: systemPath(), LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe", ...others],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const failed = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(describeError(error)));
    child.once("exit", (_code, signal) =>
      resolve(signal === "SIGKILL" ? `no answer within ${TIMEOUT_MS / 1000} s` : ""),
    );
  });
  const [said, complaint, problem] = await Promise.all([
    child.stdout === null ? "" : text(child.stdout),
    child.stderr === null ? "" : text(child.stderr),
    failed,
  ]);
  return readOutcome(said, complaint.trim() || problem || "it failed without a word");
}

/** @param said what the script printed: the steps it came to */
export function readOutcome(said: string, words: string): TrialOutcome {
  const lines = said.split("\n").filter((line) => line !== "");
  if (lines.at(-1) === "passed") return { result: "passed" };
  const step = STEPS.findLast((one) => lines.includes(one)) ?? "namespaces";
  return { result: "failed", step, words };
}

function enclosuresOf(
  user: MeshUser,
  { folder, sidecarFiles }: { readonly folder: string; readonly sidecarFiles: readonly string[] },
): Readonly<Record<"container" | "sidecar", Command>> {
  const networkNamespace = "./net";
  const readAll = 'for file; do head -c 1 "$file" > /dev/null; done';
  return {
    container: encloseContainer({
      user,
      networkNamespace,
      hostname: "trial",
      command: ["/bin/true"],
      environment: {},
      workingDirectory: "/",
      temporaryFolder: join(folder, "tmp"),
      volumes: [],
      dataDirectory: folder,
      home: "/",
      visible: [],
      host: hostFiles,
    }).command,
    sidecar: encloseSidecar({
      user,
      networkNamespace,
      dataDirectory: join(folder, "tmp"),
      folders: [],
      command: ["/bin/sh", "-ec", readAll, "read", ...sidecarFiles],
    }),
  };
}

/** A pod's rules with one of everything. */
function trialRules(): string {
  const policy = { kind: "NetworkPolicy", namespace: "trial", name: "trial" } as const;
  const endpoints = [2, 3].map((last) => ({ address: `10.244.0.${last}`, port: 80 }));
  return podRules({
    sidecar: "present",
    interception: DEFAULT_INTERCEPTION,
    exemption: { by: "mark", mark: SIDECAR_MARK },
    addresses: { ipv4: "10.244.0.2", ipv6: "fd00:10:244::2" },
    controlPlane: { address: ROUTER_ADDRESSES.ipv4, port: ROUTER_PORTS.controlPlane },
    adminPort: 15_000,
    services: [{ addresses: ["10.96.0.2"], port: 80, endpoints }],
    networkRules: {
      ingress: [{ policy, peers: [{ cidr: "10.0.0.0/8", except: [] }], ports: "all" }],
      egress: [],
    },
  });
}

function quote(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}
