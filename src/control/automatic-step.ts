/**
 * Which step of rotation brings a mesh nearer to the authority that its folder holds. Pure, and of what is on disk alone,
 * so that a control plane that was killed goes on where it was.
 */
import { wasRolledBack } from "../ca/authority-ledger.ts";
import type { AuthorityRing, AuthorityStatus, RotationStep } from "../ca/rotation.ts";

type History = ReturnType<AuthorityRing["history"]>;

export interface AutomaticInputs {
  /** Id of the authority that the folder holds. */
  readonly wanted: string;
  readonly authorities: readonly AuthorityStatus[];
  readonly history: History;
  /** The end of the history: what was done since the folder came to hold it. What was before does not bind it. */
  readonly since: History;
  /** Whether all roots that are trusted now are the wanted one's too: then nobody has to renew anything (CA-47). */
  readonly roots: "its own" | "others too";
}

export interface AutomaticStep {
  /** Absent: nothing is to be done. */
  readonly step?: RotationStep;
  /** For people, where the wanted authority stands. */
  readonly doing: string;
  /** Whether a step by hand stands against the folder, which somebody has to settle. */
  readonly isOverruled?: true;
}

export function automaticStep(inputs: AutomaticInputs): AutomaticStep {
  const { wanted, authorities, history, since } = inputs;
  const active = authorities.find(({ state }) => state === "active");
  const prepared = authorities.find(({ state }) => state === "prepared");
  const former = authorities.find(({ state }) => state === "retiring" || state === "tainted");
  if (active?.id === wanted) return stepAwayFrom(former, inputs);
  const overruled = overruledBy(wanted, since);
  if (overruled !== undefined)
    return { doing: `${overruled}; ${wayBack(wanted, inputs)}`, isOverruled: true };
  if (prepared?.id === wanted && former === undefined)
    return { step: "activate", doing: "prepared" };
  if (prepared !== undefined && prepared.id !== wanted)
    return { step: "rollback", doing: "to be prepared in place of the one before" };
  if (former?.id === wanted)
    return { step: comeBackStep(history, wanted), doing: "to be active again" };
  if (former !== undefined)
    return {
      step: former.state === "retiring" ? "taint" : "revoke",
      doing: "to be prepared once the rotation before is over",
    };
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

/**
 * The machine never rolls the wanted one back, nor activates another: so that was a person, and what people do by hand is
 * undone by people, or by another choice in the folder.
 */
function overruledBy(wanted: string, since: History): string | undefined {
  const last = since.findLast(({ step, authority }) =>
    authority === wanted
      ? step === "prepare" || step === "activate" || step === "rollback"
      : step === "activate",
  );
  if (last === undefined) return undefined;
  if (last.authority !== wanted) return "another was activated by hand";
  return last.step === "rollback" ? "rolled back by hand" : undefined;
}

function wayBack(wanted: string, { authorities, history }: AutomaticInputs): string {
  const isHeld = authorities.some(({ id }) => id === wanted);
  const step = isHeld ? comeBackStep(history, wanted) : "prepare --from FOLDER";
  return `it is not taken again until the folder changes, or \`hauberk ca ${step}\``;
}

function comeBackStep(history: History, wanted: string): "activate" | "rollback" {
  return wasRolledBack(history, wanted) ? "activate" : "rollback";
}
