/**
 * Which step of rotation brings a mesh nearer to the authority that its folder holds. Pure, and of what is on disk alone,
 * so that a control plane that was killed goes on where it was.
 */
import type { AuthorityRing, AuthorityStatus, RotationStep } from "../ca/rotation.ts";

export interface AutomaticInputs {
  /** Id of the authority that the folder holds. */
  readonly wanted: string;
  readonly authorities: readonly AuthorityStatus[];
  readonly history: ReturnType<AuthorityRing["history"]>;
  /** Whether all roots that are trusted now are the wanted one's too: then nobody has to renew anything (CA-47). */
  readonly roots: "its own" | "others too";
  /** When the folder came to hold it, if that was seen: what was rolled back before does not count any more. */
  readonly chosenAt?: Date | undefined;
}

export interface AutomaticStep {
  /** Absent: nothing is to be done. */
  readonly step?: RotationStep;
  /** For people, where the wanted authority stands. */
  readonly doing: string;
}

export function automaticStep(inputs: AutomaticInputs): AutomaticStep {
  const { wanted, authorities } = inputs;
  const active = authorities.find(({ state }) => state === "active");
  const prepared = authorities.find(({ state }) => state === "prepared");
  const former = authorities.find(({ state }) => state === "retiring" || state === "tainted");
  if (active?.id === wanted) return stepAwayFrom(former, inputs);
  if (wasRolledBack(inputs))
    return { doing: "rolled back by hand; it is not taken again until the folder changes" };
  if (former?.id === wanted) return { step: "rollback", doing: "to be active again" };
  if (former !== undefined)
    return {
      step: former.state === "retiring" ? "taint" : "revoke",
      doing: "to be prepared once the rotation before is over",
    };
  if (prepared?.id === wanted) return { step: "activate", doing: "prepared" };
  if (prepared !== undefined)
    return { step: "rollback", doing: "to be prepared in place of the one before" };
  return { step: "prepare", doing: "to be prepared" };
}

function stepAwayFrom(
  former: AuthorityStatus | undefined,
  { roots }: AutomaticInputs,
): AutomaticStep {
  if (former === undefined) return { doing: "in force" };
  if (roots === "its own")
    return { step: "revoke", doing: "in force; sidecars come over as they renew" };
  if (former.state === "retiring") return { step: "taint", doing: "in force; sidecars renew" };
  return { step: "revoke", doing: "in force; sidecars renew" };
}

/** Of the last rotation; whoever prepares it again means it. */
function wasRolledBack({ wanted, history, chosenAt }: AutomaticInputs): boolean {
  const prepared = history.findLastIndex(({ step }) => step === "prepare");
  if (history[prepared]?.authority !== wanted) return false;
  return history
    .slice(prepared + 1)
    .some(
      ({ step, authority, at }) =>
        step === "rollback" && authority === wanted && (chosenAt === undefined || at > chosenAt),
    );
}
