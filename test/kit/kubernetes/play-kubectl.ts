/** Runs command lines of kubectl against an API server, and keeps what they say without what differs from run to run. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { eventually } from "../eventually.ts";
import { CALLS_NAMESPACE, type KubectlCall } from "./kubectl-calls.ts";

export interface KubectlResult {
  readonly args: string;
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface KubectlPlace {
  readonly kubeconfig: string;
  /** Its home: what it keeps of a server is not another's. */
  readonly folder: string;
}

const TIMEOUT_MS = 30_000;

export async function playKubectl(call: KubectlCall, place: KubectlPlace): Promise<KubectlResult> {
  const child = start(call, place);
  let [output, errors] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    output += part;
  });
  child.stderr?.setEncoding("utf8").on("data", (part: string) => {
    errors += part;
  });
  const closed = once(child, "close");
  if (call.input !== undefined) child.stdin?.write(JSON.stringify(call.input));
  child.stdin?.end();
  if (call.meanwhile !== undefined) {
    await eventually("a watch to begin", () => output.includes("\n"));
    for (const other of call.meanwhile) await playKubectl(other, place);
    const lines = (): number => output.split("\n").length - 1;
    await eventually(
      () => `a watch to go on: ${output}`,
      () => lines() >= (call.lines ?? 1),
    );
    child.kill();
  }
  const [status] = await closed;
  return {
    args: call.args,
    status: call.meanwhile === undefined ? status : null,
    output: comparable(output),
    errors: comparable(errors),
  };
}

function start({ args, edit }: KubectlCall, { kubeconfig, folder }: KubectlPlace): ChildProcess {
  return spawn("kubectl", ["-n", CALLS_NAMESPACE, ...args.split(" ")], {
    timeout: TIMEOUT_MS,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      TMPDIR: folder,
      KUBECONFIG: kubeconfig,
      ...(edit !== undefined && { KUBE_EDITOR: `sed -i '${edit}'` }),
    },
  });
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Ages, versions, times, addresses and names of files become words; columns are as far apart as that leaves them. */
function comparable(text: string): string {
  return text
    .replace(UUID, "UID")
    .replace(/^([IWE])\d{4} [\d:.]+ +\d+ /gm, "$1 ")
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+ [+-]\d{4}|Z)/g, "TIME")
    .replace(/(resourceVersion[\\"]*: ?[\\"]*)\d+/g, "$1VERSION")
    .replace(/\b10\.\d+\.\d+\.\d+/g, "ADDRESS")
    .replace(/\S*\/(LIVE|MERGED)-\d+/g, "$1")
    .replace(/\b\d+(?:m\d+)?s\b(?=\s|$)/gm, "AGE")
    .split("\n")
    .map((line) => line.replace(/(?<=\S) {2,}/g, "  ").trimEnd())
    .join("\n");
}
