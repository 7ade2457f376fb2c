/** A machine without IPv6 is a machine all the same: what cannot be opened there for that reason is left out. */
import { ListenError } from "../runtime/listen-error.ts";

const CODES: ReadonlySet<unknown> = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL"]);

/** Whether listening failed since the machine, or its loopback, has no IPv6. */
export function isWithoutIpv6(error: unknown): boolean {
  if (!(error instanceof ListenError) || !(error.cause instanceof Error)) return false;
  return "code" in error.cause && CODES.has(error.cause.code);
}
