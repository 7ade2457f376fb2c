/** What three who judge say of one call, and where they do not say the same. */
import { REFUSED_CONFIGURATION } from "./envoy-lane.ts";
import { type Call, LATE, type Outcome, type PolicySet } from "./question.ts";

export interface Answered {
  readonly set: PolicySet;
  readonly call: Call;
  /** What policies say of it. */
  readonly engine: Outcome;
  /** Our own data plane; absent where it was not asked. */
  readonly sidecar?: Outcome;
  readonly envoy: Outcome;
}

export type Agreement =
  | "agreed"
  /** Both proxies refuse to read it: no policy is asked. */
  | "refused unread"
  | "disagreed";

const UNREAD: ReadonlySet<string> = new Set(["400", "reset"]);

export function agreementOf({ engine, sidecar, envoy }: Answered): Agreement {
  if (envoy.seen === REFUSED_CONFIGURATION) return "disagreed";
  if (envoy.seen === LATE || sidecar?.seen === LATE) return "disagreed";
  const verdicts = new Set([engine, sidecar ?? engine, envoy].map(({ verdict }) => verdict));
  if (verdicts.size === 1) return "agreed";
  const isUnread = sidecar !== undefined && UNREAD.has(sidecar.seen) && UNREAD.has(envoy.seen);
  return isUnread ? "refused unread" : "disagreed";
}
