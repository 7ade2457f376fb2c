/**
 * W3C trace context: which trace a request belongs to, and what was called before it. Read strictly, since whoever
 * calls may write it.
 * Source: https://www.w3.org/TR/trace-context/
 */

export interface TraceParent {
  /** 32 digits, lower-case hexadecimal, not all zero. */
  readonly traceId: string;
  /** 16 digits: the span of whoever called. */
  readonly parentId: string;
  readonly isSampled: boolean;
}

/** Version 00 has nothing behind its flags; of a version to come only what it shares with 00 is read. */
const TRACE_PARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?![^-])/;
const LENGTH_OF_00 = 55;

/**
 * @param header of several fields, all joined, which is no parent
 * @returns undefined for what is malformed, and so to be replaced
 */
export function parseTraceParent(header: string): TraceParent | undefined {
  const [, version, traceId, parentId, flags] = TRACE_PARENT.exec(header) ?? [];
  if (traceId === undefined || parentId === undefined || flags === undefined) return undefined;
  if (version === "00" && header.length !== LENGTH_OF_00) return undefined;
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export function formatTraceParent({ traceId, parentId, isSampled }: TraceParent): string {
  return `00-${traceId}-${parentId}-${isSampled ? "01" : "00"}`;
}

const MAX_MEMBERS = 32;
const MEMBER =
  /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[ !-+\--<>-~]{0,255}[!-+\--<>-~]$/;

/** Whether it may be passed on: a list that cannot be read is dropped as a whole. */
export function isTraceState(header: string): boolean {
  const members = header.split(",", 2 * MAX_MEMBERS + 1).map((member) => withoutSpace(member));
  const given = members.filter((member) => member !== "");
  if (given.length === 0 || members.length > 2 * MAX_MEMBERS) return false;
  return given.length <= MAX_MEMBERS && given.every((member) => MEMBER.test(member));
}

/** Optional white space around a member is of the list; that before it, within its value, is not. */
function withoutSpace(member: string): string {
  return member.replace(/^[ \t]{1,256}/, "").replace(/[ \t]{1,256}$/, "");
}
