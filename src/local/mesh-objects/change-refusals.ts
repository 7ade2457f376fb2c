/** What speaks against a change, in the words of the Kubernetes API. */
import type { Issue } from "../../api/resource.ts";
import { formatLocation } from "../../api/resource.ts";
import type { ObjectChange } from "../api-server/objects/object-change.ts";
import { StatusError } from "../api-server/objects/status-error.ts";

/** Told at once; what more there is, is said in their number. */
const MAX_CAUSES = 100;

/**
 * Faults of the object itself are 422 Invalid, or, where istiod's webhook alone finds them, 400, as from that webhook;
 * what it would do to the rest of the mesh is 403.
 *
 * @param issues not empty
 * @param file where the text of the object stands
 */
export function refusedChange(
  { kind, name }: ObjectChange,
  { issues, file }: { readonly issues: readonly Issue[]; readonly file: string },
): StatusError {
  const own = issues.filter(({ source }) => source.file === file);
  const told = own.length > 0 ? own : issues;
  if (own.length === 0) {
    const message = `denied by the mesh: ${listed(told, placed).join("; ")}`;
    return new StatusError(403, "Forbidden", { message });
  }
  if (own.every(({ level }) => level === "webhook")) {
    const said = listed(told, wordsOf).join("; ");
    const message = `admission webhook "validation.istio.io" denied the request: configuration is invalid: ${said}`;
    return new StatusError(400, "BadRequest", { message });
  }
  const causes = told.slice(0, MAX_CAUSES).map(({ path, problem }) => ({
    reason: "FieldValueInvalid",
    message: problem,
    field: path,
  }));
  const said = listed(told, wordsOf).join(", ");
  const message = `${kind.kind}${kind.group === "" ? "" : `.${kind.group}`} "${name}" is invalid: ${told.length === 1 ? said : `[${said}]`}`;
  const details = { name, group: kind.group, kind: kind.kind, causes };
  return new StatusError(422, "Invalid", { message, details });
}

function listed(issues: readonly Issue[], words: (issue: Issue) => string): readonly string[] {
  const rest = issues.length - MAX_CAUSES;
  return [...issues.slice(0, MAX_CAUSES).map(words), ...(rest > 0 ? [`and ${rest} more`] : [])];
}

function wordsOf({ path, problem }: Issue): string {
  return path === "" ? problem : `${path}: ${problem}`;
}

function placed(issue: Issue): string {
  return `${formatLocation(issue.source)} ${issue.path} ${issue.problem}`;
}
