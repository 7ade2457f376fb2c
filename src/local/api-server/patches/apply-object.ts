/** Server-side apply: an object grows out of what several managers each want of it. */
import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import type { Structure } from "../kinds/structure.ts";
import { StatusError } from "../objects/status-error.ts";
import { appliedProblems } from "./applied-problems.ts";
import { applyConflict } from "./apply-conflict.ts";
import { compareValues } from "./compare-values.ts";
import { type FieldManagers, managerKey, readManagers } from "./field-managers.ts";
import { FieldSet } from "./field-set.ts";
import { fieldsOf } from "./fields-of.ts";
import { allowedByLastApplied, withLastApplied } from "./last-applied.ts";
import {
  type Change,
  settled,
  trackedManagers,
  withManagers,
  withoutManagers,
} from "./managed-fields.ts";
import { mergeValues } from "./merge-values.ts";
import {
  conflictsOf,
  exceptReset,
  type FieldConflict,
  takenFromOthers,
  UNOWNED,
} from "./ownership.ts";
import { removeFields } from "./remove-fields.ts";
import { resetFields } from "./reset-fields.ts";

export interface ApplyChange extends Change {
  /** Takes what others own. */
  readonly force: boolean;
}

/** Owns what was there before anybody's fields were tracked. */
const BEFORE_FIRST_APPLY = "before-first-apply";
/** Whose applies know of the annotation in which it once kept what it had applied. */
const KUBECTL = "kubectl";

/**
 * @param live undefined where there is none yet
 * @param applied what the manager wants, and nothing else, in the version of the change; without managedFields
 * @returns the whole object with its managedFields; the same as `live` where nothing changes
 * @throws StatusError 409 when others own what it changes, 400 when it is no object to apply
 */
export function applyObject(
  kind: ServedKind,
  live: KubernetesObject | undefined,
  applied: KubernetesObject,
  change: ApplyChange,
): KubernetesObject {
  checkApplied(kind, applied, change);
  const start = live ?? { apiVersion: applied.apiVersion, kind: applied.kind, metadata: {} };
  const managers = managersToStart(kind, live, change);
  const attempt = (force: boolean): Outcome =>
    outcomeOf(kind, start, applied, { managers, change, force });
  let outcome = attempt(change.force);
  if (outcome.conflicts.length > 0) {
    const allowed = change.manager === KUBECTL ? allowedByLastApplied(kind, start) : undefined;
    const refused = outcome.conflicts.filter(({ path }) => allowed?.has(path) !== true);
    if (refused.length > 0) throw applyConflict(refused);
    outcome = attempt(true);
  }
  const object =
    change.manager === KUBECTL ? withLastApplied(outcome.object, applied) : outcome.object;
  const defaulted = kind.withDefaults?.(object) ?? object;
  return settled(live, withManagers(defaulted, outcome.managers));
}

function checkApplied(kind: ServedKind, applied: KubernetesObject, { apiVersion }: Change): void {
  const refuse = (message: string): StatusError => new StatusError(400, "BadRequest", { message });
  if (applied.metadata.managedFields !== undefined) {
    throw refuse("metadata.managedFields must be nil");
  }
  if (applied.apiVersion !== apiVersion) {
    throw refuse(
      `Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion}, expected: ${apiVersion}`,
    );
  }
  const problems = appliedProblems(kind.structure, applied);
  const [first, ...more] = problems;
  if (first === undefined) return;
  const told = more.length === 0 ? first : ["errors:", ...problems].join("\n  ");
  const { namespace = "", name = "" } = applied.metadata;
  const object = `(${namespace}/${name}; ${apiVersion}, Kind=${applied.kind})`;
  throw refuse(`failed to create typed patch object ${object}: ${told}`);
}

function managersToStart(
  kind: ServedKind,
  live: KubernetesObject | undefined,
  change: Change,
): FieldManagers {
  const managers = readManagers(live?.metadata.managedFields) ?? new Map();
  if (managers.size > 0 || live === undefined) return managers;
  const earlier: Change = { ...change, manager: BEFORE_FIRST_APPLY };
  return trackedManagers(kind, managers, { before: undefined, after: live, change: earlier });
}

interface Outcome {
  readonly object: KubernetesObject;
  readonly managers: FieldManagers;
  readonly conflicts: readonly FieldConflict[];
}

interface Attempt {
  readonly managers: FieldManagers;
  readonly change: Change;
  readonly force: boolean;
}

function outcomeOf(
  kind: ServedKind,
  live: KubernetesObject,
  applied: KubernetesObject,
  { managers, change, force }: Attempt,
): Outcome {
  const { structure } = kind;
  const reset = resetFields(kind, change.subresource);
  const identity = {
    manager: change.manager,
    operation: "Apply",
    apiVersion: change.apiVersion,
    subresource: change.subresource ?? "",
  } as const;
  const key = managerKey(identity);
  const previous = managers.get(key);
  const fields = fieldsOf(structure, applied).without(reset);
  const entry = { ...identity, fields, time: previous?.time };
  const claimed: FieldManagers = new Map([...managers, [key, entry]]);

  const bare = withoutManagers(live);
  const merged = mergeValues(structure, bare, applied) as KubernetesObject;
  const last = previous?.fields ?? FieldSet.empty;
  const object = pruned(structure, merged, { last, claimed });
  const comparison = exceptReset(compareValues(structure, bare, object), reset);
  const conflicts = force ? [] : conflictsOf(claimed, key, comparison);
  const left = new Map(takenFromOthers(claimed, key, comparison));
  const owned = fields.difference(UNOWNED);
  const time = isDeepStrictEqual(bare, object) ? entry.time : change.time;
  if (owned.isEmpty) left.delete(key);
  else left.set(key, { ...entry, fields: owned, time });
  return { object, managers: left, conflicts };
}

interface Pruning {
  /** What the applier had applied before. */
  readonly last: FieldSet;
  readonly claimed: FieldManagers;
}

/** Without what the applier wanted before and wants no more, where nobody else owns it. */
function pruned(
  structure: Structure,
  merged: KubernetesObject,
  { last, claimed }: Pruning,
): KubernetesObject {
  if (last.isEmpty) return merged;
  const named = (set: FieldSet): FieldSet => set.withNamedFields(structure);
  const without = (set: FieldSet): KubernetesObject =>
    (removeFields(structure, merged, set) ?? {}) as KubernetesObject;
  const wanted = named(last);
  const all = named(fieldsOf(structure, merged));
  const claims = [...claimed.values()].reduce((sum, one) => sum.union(one.fields), FieldSet.empty);
  const bare = named(fieldsOf(structure, without(wanted)));
  const owned = without(all.difference(bare.union(named(claims))));
  const kept = named(fieldsOf(structure, owned));
  return without(all.difference(kept).intersection(wanted));
}
