/** From what the caller saw and what the sidecar that decided wrote, to what a row shows. Pure. */
import { summarize } from "../../policy/explain.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { shortenIdentity } from "./actor.ts";
import type { Outcome } from "./order-client.ts";
import type { Finding } from "./row.ts";

/** @param entry undefined when no sidecar wrote about the call: a surprise in itself */
export function findingOf(
  entry: AccessLogEntry | undefined,
  { outcome, surprises }: { readonly outcome: Outcome; readonly surprises: readonly string[] },
): Finding {
  if (entry === undefined) {
    const seen = outcome.status ?? outcome.answer ?? outcome.error ?? "nothing";
    return {
      verdict: String(seen),
      because: "no sidecar wrote about it",
      identities: "",
      surprises: ["no log line of a sidecar is about this call", ...surprises],
    };
  }
  const { decision } = entry;
  return {
    verdict: verdictOf(entry),
    because: decision === null ? "" : summarize(decision.reason),
    identities: identitiesOf(entry),
    ...(decision === null ? {} : { decision }),
    surprises,
  };
}

/** `allowed 200`, `refused 403`, `refused` */
export function verdictOf({ decision, response_code }: AccessLogEntry): string {
  const verdict = decision?.verdict === "allow" ? "allowed" : "refused";
  return response_code === null ? verdict : `${verdict} ${response_code}`;
}

/** `production/frontend -> production/api` */
export function identitiesOf(
  entry: Pick<AccessLogEntry, "source_principal" | "destination_principal">,
): string {
  const { source_principal: caller, destination_principal: callee } = entry;
  if (caller === null && callee === null) return "nobody proved anything";
  return `${shortenIdentity(caller)} -> ${shortenIdentity(callee)}`;
}
