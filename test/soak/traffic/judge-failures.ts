/**
 * Whether each failed request has its reason: the policy that stood, or the end of the very process that it was with, and
 * then the sidecars must say so with the right flag.
 */
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";
import type { GuardChange, Kill } from "./changes.ts";
import type { Told } from "./load-log.ts";

/** Within it a written policy is in force everywhere. */
const PUSH_MS = 2_500;
/** What was sent just before a kill was answered by nobody, and the first connection afterwards may find a closed port. */
const SLACK_MS = 300;

export interface Fault {
  readonly what: string;
  readonly told: Told;
  readonly entries: readonly AccessLogEntry[];
}

export interface Judgement {
  readonly faults: readonly Fault[];
  /** How many were explained, by flag of the caller's side and of the callee's. */
  readonly explained: ReadonlyMap<string, number>;
  readonly denied: number;
  /** Most time between the writing of a policy and the last answer by the one before, in milliseconds. */
  readonly slowestPush: number;
}

export interface Evidence {
  readonly changes: Happened;
  readonly told: readonly Told[];
  readonly accessLogs: {
    /** Those that say that something went wrong, of one request. */
    entriesOf(id: string): readonly AccessLogEntry[];
  };
}

/** What was done to the mesh, oldest first. */
export interface Happened {
  readonly kills: readonly Kill[];
  readonly guards: readonly GuardChange[];
  readonly mesh: {
    /** @param address `address:port` of its sidecar, or of its application */
    podAt(address: string): string | undefined;
  };
}

export function judgeFailures({ changes, told, accessLogs }: Evidence): Judgement {
  const faults: Fault[] = [];
  const guarded = told.filter((one) => one.kind === "guarded" && isVerdict(one));
  for (const one of guarded) {
    const what = guardFault(one, changes);
    if (what !== undefined) faults.push({ what, told: one, entries: [] });
  }
  const verdicts = new Set(guarded);
  const failed = told.filter((one) => one.problem !== undefined && !verdicts.has(one));
  const explained = new Map<string, number>();
  for (const one of failed) {
    const own = accessLogs.entriesOf(one.id);
    const reason = reasonOf(one, { entries: own, changes });
    if (reason.isFault) faults.push({ what: reason.what, told: one, entries: own });
    else explained.set(reason.what, (explained.get(reason.what) ?? 0) + 1);
  }
  const denied = guarded.filter(({ status }) => status === 403).length;
  return { faults, explained, denied, slowestPush: slowestPush(guarded, changes) };
}

const isVerdict = ({ problem }: Told): boolean => problem === undefined || problem === "status 403";

/** @returns what is wrong */
function guardFault({ sentAt, ms, status }: Told, { guards }: Happened): string | undefined {
  const standing = guards.findLast(({ at }) => at + PUSH_MS <= sentAt)?.paths ?? "open";
  const changing = guards.some(({ at }) => at <= sentAt + ms && at + PUSH_MS > sentAt);
  if (changing || status === (standing === "denied" ? 403 : 200)) return undefined;
  return `${status} while the guarded paths were ${standing}`;
}

function slowestPush(guarded: readonly Told[], { guards }: Happened): number {
  let slowest = 0;
  for (const [index, { paths, at }] of guards.entries()) {
    const until = guards[index + 1]?.at ?? at + PUSH_MS;
    const contrary = paths === "denied" ? 200 : 403;
    for (const { sentAt, ms, status } of guarded) {
      if (sentAt >= at && sentAt + ms < until && status === contrary)
        slowest = Math.max(slowest, sentAt - at);
    }
  }
  return slowest;
}

interface Reason {
  readonly isFault: boolean;
  readonly what: string;
}

interface Known {
  readonly entries: readonly AccessLogEntry[];
  readonly changes: Happened;
}

function reasonOf(one: Told, { entries, changes }: Known): Reason {
  const callers = entries.filter(({ reporter }) => reporter === "source");
  const callees = entries.filter(({ reporter }) => reporter === "destination");
  const [caller] = callers;
  if (callers.length > 1 || (caller === undefined && !isUnavailable(one)))
    return {
      isFault: true,
      what: `${one.problem}: the caller's sidecar tells ${callers.length} times of it`,
    };
  const callee = caller?.upstream_host ?? callees[0]?.downstream_local_address ?? "nobody";
  const pod = changes.mesh.podAt(callee);
  const kill = changes.kills.find((each) => each.pod === pod && overlaps(each, one));
  if (kill === undefined)
    return { isFault: true, what: `${one.problem}: no kill of ${pod} around it` };
  const flags = caller?.response_flags ?? "-";
  const calleeFlags = callees.map(({ response_flags }) => response_flags).join(",") || "none";
  const what = `${kill.part} killed: ${one.problem}; caller ${flags}, callee ${calleeFlags}`;
  return { isFault: !isRightlyFlagged(kill, { flags, calleeFlags, one }), what };
}

/** To the caller's sidecar that is an answer as any other. */
function isUnavailable({ problem }: Told): boolean {
  return problem === "grpc-status 14";
}

interface Flags {
  readonly flags: string;
  readonly calleeFlags: string;
  readonly one: Told;
}

/** Whoever's connection broke says so, and nobody else; an answer that was cut is told by both. */
function isRightlyFlagged({ part }: Kill, { flags, calleeFlags, one }: Flags): boolean {
  if (part === "sidecar") return ["UF", "UC", "UR"].includes(flags);
  if (!["UF", "UC", "UR"].includes(calleeFlags)) return false;
  const isAnswered = one.problem === "status 503" || isUnavailable(one);
  return isAnswered ? flags === "-" : ["UR", "UC"].includes(flags);
}

function overlaps({ killedAt, backAt = Number.POSITIVE_INFINITY }: Kill, one: Told): boolean {
  return one.sentAt <= backAt + SLACK_MS && one.sentAt + one.ms >= killedAt - SLACK_MS;
}
