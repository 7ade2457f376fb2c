/** Whether a rotation has stood still for longer than sidecars that are well ever need. Pure. */
import type { AuthorityState, AuthorityStatus, RotationStep } from "../ca/rotation.ts";
import type { CertificateWarning } from "./certificate-warnings.ts";
import { type Blocker, blockersOf, type GateInputs } from "./rotation-gate.ts";

/** Sidecars take new roots within seconds, and renew within a minute when they must: as long as `--wait` waits by itself. */
export const STANDSTILL_MS: number = 10 * 60_000;
const MAX_NAMED = 3;

/**
 * What each state waits for. Who has not renewed beside a retiring authority may have hours to do so, and is told of when
 * that is late; but whoever is not even connected holds the end up.
 */
const AWAITED: Readonly<
  Record<Exclude<AuthorityState, "active">, readonly [RotationStep, string]>
> = {
  prepared: ["activate", "its activation"],
  retiring: ["activate", "its end"],
  tainted: ["revoke", "its revocation"],
};

export function rotationWarnings(inputs: GateInputs, now: Date): readonly CertificateWarning[] {
  return inputs.authorities.flatMap((authority) => standstill(authority, inputs, now));
}

function standstill(
  { id, state, since }: AuthorityStatus,
  inputs: GateInputs,
  now: Date,
): readonly CertificateWarning[] {
  if (state === "active" || now.getTime() - since.getTime() < STANDSTILL_MS) return [];
  const [step, what] = AWAITED[state];
  const blockers = blockersOf(step, inputs);
  if (blockers.length === 0) return [];
  const text = `authority ${id} is ${state} since ${since.toISOString()}, and ${what} waits: ${named(blockers)}`;
  return [{ key: `authority ${id} ${state} waits`, level: "warn", text }];
}

function named(blockers: readonly Blocker[]): string {
  const some = blockers.slice(0, MAX_NAMED).map(({ pod, lacks }) => `${pod} ${lacks}`);
  const others = blockers.length - some.length;
  return `${some.join(", ")}${others === 0 ? "" : `, and ${others} more`}`;
}
