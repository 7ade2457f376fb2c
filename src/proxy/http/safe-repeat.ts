/** Whether a request that was lost on its way may be sent once more, though nobody asked for it: only where it can do no harm. */
import type { METHOD } from "../../http/methods.ts";
import type { Exchange } from "../exchange.ts";
import type { Abort } from "./received-message.ts";

/** Methods that may be repeated (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
] satisfies (keyof typeof METHOD)[]);

export interface SentRequest {
  readonly method: Exchange["method"];
  /** Of which something goes out before the answer. */
  readonly hasBody: boolean;
  /** Whether any of it has gone out. */
  readonly bodyHasBegun: boolean;
  /** Whether its connection had carried another before, and stood idle since. */
  readonly isReused: boolean;
}

/**
 * When nothing was done about it, as long as all of the body is still here; and, if it has none, when a connection that
 * had stood idle turned out to be dead.
 */
export function mayBeSentAgain(
  why: Abort,
  { method, hasBody, bodyHasBegun, isReused }: SentRequest,
): boolean {
  if (why.cause === "reset" && why.done === "nothing") return !bodyHasBegun;
  return why.cause === "closed" && !hasBody && isReused && IDEMPOTENT.has(method);
}
