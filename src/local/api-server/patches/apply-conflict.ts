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
  const groups = new Map<string, { readonly owner: ManagedSet; readonly lines: string[] }>();
  for (const { owner, path } of conflicts) {
    const key = orderOf(owner);
    const { lines } = groups.get(key) ?? { lines: [] };
    groups.set(key, { owner, lines: [...lines, `- ${printedPath(path)}`] });
  }
  const sorted = [...groups].sort(([one], [other]) => (one < other ? -1 : 1));
  const told = sorted.flatMap(([, { owner, lines }]) => [
    `conflicts with ${printedManager(owner)}:`,
    ...lines,
  ]);
  return `${conflicts.length} conflicts: ${told.join("\n")}`;
}

/** Kubernetes sorts managers by what identifies them, as JSON. */
function orderOf({ manager, operation, apiVersion, subresource }: ManagedSet): string {
  return JSON.stringify({
    ...(manager !== "" && { manager }),
    operation,
    ...(operation === "Update" && { apiVersion }),
    ...(subresource !== "" && { subresource }),
  });
}

function printedManager({ manager, operation, apiVersion, subresource }: ManagedSet): string {
  const name = JSON.stringify(manager);
  const whole =
    subresource === "" ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === "Update" ? `${whole} using ${apiVersion}` : whole;
}
