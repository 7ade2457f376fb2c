/** Tells whose fields an apply would have taken, in Kubernetes' words. */
import { StatusError } from "../objects/status-error.ts";
import type { ManagedSet } from "./field-managers.ts";
import type { FieldConflict } from "./ownership.ts";
import { printedPath } from "./path-element.ts";

export function applyConflict(conflicts: readonly FieldConflict[]): StatusError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${printedManager(owner)}`,
    field: printedPath(path),
  }));
  const message = `Apply failed with ${counted(conflicts)}`;
  return new StatusError(409, "Conflict", { message, details: { causes } });
}

function counted(conflicts: readonly FieldConflict[]): string {
  const [first, ...more] = conflicts;
  if (first !== undefined && more.length === 0) {
    return `1 conflict: conflict with ${printedManager(first.owner)}: ${printedPath(first.path)}`;
  }
  const paths = new Map<string, string[]>();
  for (const { owner, path } of conflicts) {
    const name = printedManager(owner);
    paths.set(name, [...(paths.get(name) ?? []), `- ${printedPath(path)}`]);
  }
  const lines = [...paths].sort(([one], [other]) => (one < other ? -1 : 1));
  const told = lines.flatMap(([name, fields]) => [`conflicts with ${name}:`, ...fields]);
  return `${conflicts.length} conflicts: ${told.join("\n")}`;
}

function printedManager({ manager, operation, apiVersion, subresource }: ManagedSet): string {
  const name = JSON.stringify(manager);
  const whole =
    subresource === "" ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === "Update" ? `${whole} using ${apiVersion}` : whole;
}
