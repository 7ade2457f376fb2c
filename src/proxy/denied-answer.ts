/** How a request is refused that policies deny. */
import type { Reason } from "../policy/decision.ts";
import { responseCodeDetails } from "../telemetry/response-details.ts";
import type { Answer } from "./exchange.ts";

/** AP-130: exactly these 19 bytes. */
export const DENIED_BODY = "RBAC: access denied";

/** AP-130 */
export function denied(details: string): Answer {
  return { status: 403, body: DENIED_BODY, flags: "-", details };
}

export function detailsOf(reason: Reason): string {
  return responseCodeDetails(reason) ?? "rbac_access_denied";
}
