/**
 * Which step brings a mesh from a self-signed root that nears its end to the next one (CA-42). Pure, and of what is on disk
 * and the time alone, so that a control plane that was killed goes on where it was.
 */
import { BACKDATE_MS } from "../ca/issuing-rules.ts";
import type { AuthorityRing, AuthorityStatus } from "../ca/rotation.ts";

/** When activation waits for nobody any more, as a share of the grace: who is left behind then is better than all. */
const LAST_SHARE = 0.25;
/** A root that is valid only from later on was prepared under a clock that ran ahead; by less, it is soon of use. */
const AHEAD_MS = 3_600_000;

export interface RootRenewalRules {
  /** `CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE`: per cent of its life that a root has left then. */
  readonly gracePercent: number;
  /** How long the former root stays trusted, for connections that were made under it: the life of a certificate. */
  readonly keepMs: number;
}

export interface SelfSignedInputs {
  readonly authorities: readonly AuthorityStatus[];
  readonly history: ReturnType<AuthorityRing["history"]>;
}

export interface SelfSignedStep {
  /** Absent: nothing is to be done now. */
  readonly step?: "prepare" | "activate" | "revoke" | "rollback";
  /** "forced": to wait for longer would break more than the step does. */
  readonly gate: "ask" | "forced";
  /** For people, where a renewal that is under way stands. */
  readonly doing?: string;
  /** Whether it is due, and somebody has to say what is to become of it. */
  readonly isOverruled?: true;
  /** For people, when the next one is due. */
  readonly planned?: string;
}

/** Authorities that somebody brought, and rotations that somebody began before a root was due, are left alone. */
export function selfSignedStep(
  { authorities, history }: SelfSignedInputs,
  { now, gracePercent, keepMs }: RootRenewalRules & { readonly now: Date },
): SelfSignedStep {
  const active = authorities.find(({ state }) => state === "active");
  const prepared = authorities.find(({ state }) => state === "prepared");
  const former = authorities.find(({ state }) => state === "retiring" || state === "tainted");
  if (active?.origin !== "self-signed") return { gate: "ask" };
  const dueAt = dueTime(active, gracePercent);
  if (prepared !== undefined && isAhead(prepared, now))
    return { step: "rollback", gate: "ask", doing: `was prepared by a clock that ran ahead` };
  if (now < dueAt) {
    const isOurs = former?.origin === "self-signed" && now >= dueTime(former, gracePercent);
    if (isOurs) return retirement(former, { now, until: trustedUntil(former, { keepMs, dueAt }) });
    if (prepared?.origin === "custom") return { gate: "ask" };
    return { gate: "ask", planned: `from ${dueAt.toISOString()} on, another root takes its place` };
  }
  if (wasRolledBack(history, dueAt))
    return {
      ...waiting("was rolled back by hand; `hauberk ca prepare` begins it again"),
      isOverruled: true,
    };
  if (former !== undefined) return succession(former, now);
  if (prepared === undefined) return { step: "prepare", gate: "ask", doing: "is due" };
  if (prepared.origin === "custom")
    return waiting(`is left to whoever has prepared the custom authority ${prepared.id}`);
  const lastMs = (lifeMs(active) * gracePercent * LAST_SHARE) / 100;
  const isLast = active.notAfter.getTime() - now.getTime() <= lastMs;
  return { step: "activate", gate: isLast ? "forced" : "ask", doing: "is prepared" };
}

function waiting(doing: string): SelfSignedStep {
  return { gate: "ask", doing };
}

function isAhead({ origin, notBefore }: AuthorityStatus, now: Date): boolean {
  return origin === "self-signed" && notBefore.getTime() - now.getTime() > AHEAD_MS;
}

/** Two rotations at once there are none: a former root that has ended goes, one that somebody may still want stays. */
function succession(former: AuthorityStatus, now: Date): SelfSignedStep {
  if (former.origin === "self-signed" && now >= former.notAfter)
    return retirement(former, { now, until: now });
  return waiting(`waits until authority ${former.id} is revoked`);
}

/** Where roots live for less than certificates may, the former one goes before the next is due. */
function trustedUntil(
  { since }: AuthorityStatus,
  { keepMs, dueAt }: { readonly keepMs: number; readonly dueAt: Date },
): Date {
  const from = since.getTime();
  return new Date(from + Math.min(keepMs, (dueAt.getTime() - from) / 2));
}

/**
 * Without taint: sidecars come over as they renew. One that has ended is kept as long: nobody is harmed by trusting it,
 * and should the clock be wrong, it is the one that sidecars have.
 */
function retirement(
  { id, state, notAfter }: AuthorityStatus,
  { now, until }: { readonly now: Date; readonly until: Date },
): SelfSignedStep {
  if (state === "retiring" && now < until)
    return waiting(`is done; the former root ${id} is trusted until ${until.toISOString()}`);
  const gate = now >= notAfter ? "forced" : "ask";
  return { step: "revoke", gate, doing: `is done; the former root ${id} goes` };
}

function dueTime(root: AuthorityStatus, gracePercent: number): Date {
  return new Date(root.notAfter.getTime() - (lifeMs(root) * gracePercent) / 100);
}

/** As it was asked for: the certificate itself is dated back (CA-16). */
function lifeMs({ notBefore, notAfter }: AuthorityStatus): number {
  return notAfter.getTime() - notBefore.getTime() - BACKDATE_MS;
}

/** Whoever pulled the brake is stronger than the machine, until somebody prepares again. */
function wasRolledBack(history: SelfSignedInputs["history"], dueAt: Date): boolean {
  const last = history.findLast(({ step }) => step === "prepare" || step === "rollback");
  return last !== undefined && last.step === "rollback" && last.at >= dueAt;
}
