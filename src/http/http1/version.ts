/** `HTTP/1.0` and `HTTP/1.1`, by case (RFC 9112 section 2.3); nothing else is taken. */
import { CR } from "../byte-classes.ts";
import { type Http1Problem, PROBLEM } from "./problem.ts";

export const HTTP_VERSION_BYTES = 8;
const NAME = Buffer.from("HTTP/1.");
const ZERO = 48;

/** The number after the dot, 0 or 1; -1 if these bytes are no version that is served. */
export function minorVersionAt(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < NAME.length; index++) {
    if (bytes[at + index] !== NAME[index]) return -1;
  }
  const minor = (bytes[at + NAME.length] ?? 0) - ZERO;
  return minor === 0 || minor === 1 ? minor : -1;
}

/** What is wrong with the end of a request line, whose ten bytes are here. */
export function versionProblem(bytes: Buffer, at: number): Http1Problem {
  if (bytes[at] === CR) return PROBLEM.noVersion;
  const text = bytes.toString("latin1", at, at + HTTP_VERSION_BYTES + 2);
  if (/^HTTP\/[0-9]\.[0-9]\r\n$/.test(text)) return PROBLEM.unknownVersion;
  if (/^HTTP\/1\.[01]\r/.test(text)) return PROBLEM.bareCarriageReturn;
  return /^[^\r]*\n/.test(text) ? PROBLEM.bareLineFeed : PROBLEM.invalidVersion;
}
