/** Policies as they came, with the objects that are held already in place of those that say the same. */
import { keepEqual } from "../policy/keep-equal.ts";
import type { AppliedPolicy, EffectiveAuthorization, Inbound } from "../policy/workload-view.ts";

type Given = Readonly<Record<string, unknown>>;

/**
 * Of thousands of policies one has changed: the others need not be read, nor compiled, again.
 *
 * @param next nothing is known of it yet, and what it has of its own still has to be read
 */
export function keptPolicies({ authorization: held }: Inbound, next: unknown): unknown {
  if (!isObject(next) || !isObject(next["authorization"])) return next;
  const before: Given = { ...held };
  const authorization = Object.fromEntries(
    Object.entries(next["authorization"]).map(([action, policies]) => [
      action,
      keptList(before[action], policies),
    ]),
  );
  return { ...next, authorization: keptWhole(held, authorization) };
}

function keptList(held: unknown, next: unknown): unknown {
  if (!Array.isArray(held) || !Array.isArray(next)) return next;
  const policies: readonly AppliedPolicy[] = held;
  const known = new Map<string, AppliedPolicy>(policies.map((one) => [nameOf(one), one]));
  const kept = next.map((one: unknown) => {
    const old = known.get(nameOf(one));
    return old !== undefined && keepEqual(old, one) === old ? old : one;
  });
  const isSame = kept.length === held.length && kept.every((one, index) => one === held[index]);
  return isSame ? held : kept;
}

function keptWhole(held: EffectiveAuthorization, next: Given): Given | EffectiveAuthorization {
  const before: Given = { ...held };
  const actions = Object.keys(next);
  const isSame =
    actions.length === Object.keys(before).length &&
    actions.every((action) => next[action] === before[action]);
  return isSame ? held : next;
}

/** "" of what is no policy. */
function nameOf(policy: unknown): string {
  const ref = isObject(policy) && policy["ref"];
  return isObject(ref) ? `${String(ref["namespace"])}/${String(ref["name"])}` : "";
}

function isObject(value: unknown): value is Given {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
