/** `hauberk logs`: the decisions of all sidecars in one stream, by time, each with its reason. Exit 0; 1: no such pod. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DataDirectory } from "../../local/data-directory.ts";
import { findMesh } from "../../local/joining/mesh-client.ts";
import { canBePodOf } from "../../policy/pod-names.ts";
import type { Workload } from "../../policy/workload.ts";
import { printable, printableJson } from "../../runtime/printable.ts";
import { AccessLogTail, type LoggedEntry } from "../access-log-tail.ts";
import { alignColumns } from "../align-columns.ts";
import {
  explainLoggedEntry,
  formatLoggedEntry,
  isDenied,
  isTelling,
} from "../format-logged-entry.ts";
import { BadOptionError } from "../parse-join-options.ts";
import { type PlaintextCaller, PlaintextCallers } from "../plaintext-callers.ts";
import { type PodAt, podsByAddress } from "../pods-by-address.ts";
import type { Print } from "../print-line.ts";

const LOOK_AGAIN_MS = 150;
const NOTHING_REFUSED = "nothing was refused, as far as these logs go back";
const NO_PLAINTEXT = "nobody called in plaintext, as far as these logs go back";
const NOTHING =
  "nothing was decided, and nothing failed, as far as these logs go back; calls that pass are decided where they arrive";

export interface LogsOptions {
  readonly data: string;
  readonly follow?: boolean;
  readonly denied?: boolean;
  /** Only calls with this `x-request-id`, of callers and callees, each with its explanation. */
  readonly request?: string;
  /** Instead of entries: who called in plaintext. Not together with the three above. */
  readonly plaintext?: boolean;
  readonly json?: boolean;
  /** Most entries to show of those that are there already. */
  readonly tail: number;
}

/**
 * @param pod `NAMESPACE/POD`, `NAMESPACE/DEPLOYMENT`, or either without its namespace; absent for all
 * @throws NoMeshError, BadOptionError
 */
export async function logsCommand(
  pod: string | undefined,
  {
    options,
    print,
    warn,
    signal,
  }: {
    readonly options: LogsOptions;
    readonly print: Print;
    readonly warn: Print;
    /** Ends following. */
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const dataDirectory = new DataDirectory(options.data);
  const known = async (): Promise<KnownPods> =>
    knownPods((await findMesh(dataDirectory)).workloads);
  let pods = await known();
  const directory = join(dataDirectory.path, "logs");
  const tail = new AccessLogTail({
    directory,
    wants: (name) => isNamed(name, pod, pods),
    fromOldest: options.plaintext === true || options.request !== undefined,
  });
  const show = (logged: LoggedEntry): void => {
    for (const line of linesOf(logged, options, pods.at)) print(line);
  };
  try {
    if (!options.follow) await requirePod(tail, { directory, pod });
    if (options.plaintext) {
      const callers = new PlaintextCallers(pods.at);
      await tail.look((logged) => callers.add(logged));
      for (const line of linesOfCallers(callers.newest(), options)) print(line);
      if (callers.newest().length === 0) warn(NO_PLAINTEXT);
      return 0;
    }
    const newest = new NewestEntries(options.tail);
    await tail.look((logged) => isWanted(logged, options) && newest.add(logged));
    const entries = newest.entries();
    for (const logged of entries) show(logged);
    if (entries.length + newest.left === 0 && !options.follow) warn(nothingTold(options));
    if (newest.left > 0) warn(`${olderOnes(newest.left)} in ${directory}; see --tail`);
    while (options.follow && (await pause(signal))) {
      const fresh: LoggedEntry[] = [];
      await tail.look((logged) => isWanted(logged, options) && fresh.push(logged));
      if (fresh.length > 0) pods = await known().catch(() => pods);
      for (const logged of fresh.sort(byTime)) show(logged);
    }
    if (tail.garbledLines > 0) warn(`${tail.garbledLines} lines are no access log entries`);
    return 0;
  } finally {
    await tail.close();
  }
}

/** The newest entries by time, of however many. */
class NewestEntries {
  readonly #limit: number;
  #kept: LoggedEntry[] = [];
  #seen = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get left(): number {
    return Math.max(0, this.#seen - this.#limit);
  }

  add(logged: LoggedEntry): void {
    this.#seen++;
    this.#kept.push(logged);
    if (this.#kept.length > 2 * this.#limit + 1_000) this.#kept = [...this.entries()];
  }

  entries(): readonly LoggedEntry[] {
    return this.#limit === 0 ? [] : this.#kept.sort(byTime).slice(-this.#limit);
  }
}

function nothingTold({ denied, request }: LogsOptions): string {
  if (request !== undefined)
    return `no ${denied ? "refused call" : "call"} has the id ${request}, as far as these logs go back`;
  return denied ? NOTHING_REFUSED : NOTHING;
}

function olderOnes(count: number): string {
  return count === 1 ? "1 older one is" : `${count} older ones are`;
}

/** Of one request every line is wanted: the caller's own says where it went. */
function isWanted(logged: LoggedEntry, { denied, request }: LogsOptions): boolean {
  if (request !== undefined && logged.entry.request_id !== request) return false;
  if (denied) return isDenied(logged);
  return request !== undefined || isTelling(logged);
}

function linesOf(
  logged: LoggedEntry,
  { denied, request, json }: LogsOptions,
  podAt: PodAt,
): readonly string[] {
  if (json) return [printableJson(JSON.stringify({ pod: logged.pod, ...logged.entry }))];
  const line = formatLoggedEntry(logged, podAt);
  const isExplained = denied || request !== undefined;
  return isExplained ? [line, ...explainLoggedEntry(logged)] : [line];
}

function linesOfCallers(
  callers: readonly PlaintextCaller[],
  { json }: LogsOptions,
): readonly string[] {
  if (json) return callers.map((caller) => printableJson(JSON.stringify(caller)));
  if (callers.length === 0) return [];
  const rows = callers.map(({ last, calls, refused, caller, callee }) =>
    [last, String(calls), String(refused), caller, callee].map(printable),
  );
  return alignColumns([["LAST", "CALLS", "REFUSED", "CALLER", "CALLEE"], ...rows]);
}

/** Node sorts stably: entries of one instant stay in the order of their logs. */
function byTime({ entry: a }: LoggedEntry, { entry: b }: LoggedEntry): number {
  if (a.start_time === b.start_time) return 0;
  return a.start_time < b.start_time ? -1 : 1;
}

interface KnownPods {
  readonly at: PodAt;
  /** By `NAMESPACE/POD`, of those that run: the name of their owner. */
  readonly owners: ReadonlyMap<string, string>;
}

function knownPods(workloads: readonly Workload[]): KnownPods {
  const owners = workloads.map(
    ({ namespace, name, owner }) => [`${namespace}/${name}`, owner] as const,
  );
  return { at: podsByAddress(workloads), owners: new Map(owners) };
}

/** Pods that ended have logs too, and belong to their owner as before. */
function isNamed(pod: string, wanted: string | undefined, { owners }: KnownPods): boolean {
  if (wanted === undefined) return true;
  const [namespace = "", name = ""] = pod.split("/");
  const inNamespace = `${namespace}/`;
  if (wanted.includes("/") && !wanted.startsWith(inNamespace)) return false;
  const asked = wanted.includes("/") ? wanted.slice(inNamespace.length) : wanted;
  if (name === asked) return true;
  const owner = owners.get(pod);
  return owner === undefined ? canBePodOf(asked, name) : owner === asked;
}

async function requirePod(
  tail: AccessLogTail,
  { directory, pod }: { readonly directory: string; readonly pod: string | undefined },
): Promise<void> {
  if (pod === undefined || (await tail.pods()).length > 0) return;
  const all = await new AccessLogTail({ directory, wants: () => true }).pods();
  throw new BadOptionError(`no logs of ${pod}; known: ${all.join(", ") || "none"}`);
}

/** @returns whether to go on */
async function pause(signal: AbortSignal): Promise<boolean> {
  try {
    await delay(LOOK_AGAIN_MS, undefined, { signal });
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}
