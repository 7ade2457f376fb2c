/**
 * TLS handshakes that came to nothing, as Envoy tells of them: a listener writes a line of each connection that may be such
 * a one, and whether it is, its fields tell. A chain that passes bytes on tells of the same connection once more.
 */
import { HANDSHAKE_TIMED_OUT } from "../envoy/decision-log.ts";
import type { AccessLogEntry } from "../telemetry/access-log.ts";

export interface ToldHandshake {
  /** In Envoy's words; null where the client left without a word. */
  readonly problem: string | null;
}

export interface HandshakeLine {
  readonly text: (name: string) => string | null;
  /** 0 for what is none. */
  readonly number: (name: string) => number;
  readonly reporter: AccessLogEntry["reporter"];
}

/** Filters that close a connection before its handshake begins. */
const LIMITS: ReadonlySet<string> = new Set([
  "local_ratelimit_close_over_limit",
  "over_connection_limit",
]);

export function isLimit(reason: string | null): reason is string {
  return reason !== null && LIMITS.has(reason);
}

/** What breaks a connection may break one that stands, too. */
const BROKEN_OFF = /^TLS_error:\|\d+:system_library:/;

/** @returns undefined for a line of something else */
export function toldHandshake(line: HandshakeLine): ToldHandshake | "nothing to tell" | undefined {
  const { text } = line;
  if (text("ending") === "handshake")
    return hasFailed(line) ? { problem: problemOf(line) } : "nothing to tell";
  const isOfHandshake = isTimedOut(line) || (isUnjudged(line) && isOfTls(text));
  return text("method") === null && isOfHandshake ? "nothing to tell" : undefined;
}

function problemOf(line: HandshakeLine): string | null {
  return isTimedOut(line) ? HANDSHAKE_TIMED_OUT : line.text("handshake_problem");
}

function hasFailed(line: HandshakeLine): boolean {
  const { text, number, reporter } = line;
  const closed = text("local_close_reason");
  if (isTimedOut(line) || isLimit(closed)) return true;
  if (closed !== null) return false; // as Envoy was asked to
  if (!isUnjudged(line) || number("handshake_duration") > 0) return false;
  const isMeshClient = reporter === "destination";
  if (isMeshClient && text("presented_serial") === null) return true;
  const problem = text("handshake_problem");
  return problem !== null && !BROKEN_OFF.test(problem);
}

/** Nothing was read of it, nobody was called for it, no policy refused it. */
function isUnjudged({ text, number }: HandshakeLine): boolean {
  return (
    text("upstream_host") === null &&
    text("connection_termination_details") === null &&
    number("bytes_received") === 0
  );
}

function isTimedOut({ text }: HandshakeLine): boolean {
  return text("connection_termination_details") === HANDSHAKE_TIMED_OUT;
}

/** What the inspector of plaintext says begins otherwise. */
function isOfTls(text: HandshakeLine["text"]): boolean {
  return text("handshake_problem")?.startsWith("TLS_error:") === true;
}
