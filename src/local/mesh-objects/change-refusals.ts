/** What speaks against a change, in the words of the Kubernetes API. */
import type { Issue } from "../../api/resource.ts";
import { formatLocation } from "../../api/resource.ts";
import type { ObjectChange } from "../api-server/objects/object-change.ts";
import { StatusError } from "../api-server/objects/status-error.ts";

/** Told at once; what more there is, is said in their number. */
const MAX_CAUSES = 100;
/** kubectl prints `FIELD: MESSAGE` of each cause: with no field it would be a colon alone. */
const WHOLE = "spec";

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
    field: path === "" ? WHOLE : path,
  }));
  const said = listed(told, wordsOf).join(", ");
  const message = `${kind.kind}${kind.group === "" ? "" : `.${kind.group}`} "${name}" is invalid: ${told.length === 1 ? said : `[${said}]`}`;
  const details = { name, group: kind.group, kind: kind.kind, causes };
  return new StatusError(422, "Invalid", { message, details });
}

/** Of kinds that nobody else writes. Of a pod by itself, as `kubectl run` has it, it says what to do instead. */
export function writtenByMesh({ kind, name, before }: ObjectChange): StatusError {
  const message =
    kind.kind === "Pod" && before === undefined
      ? `no pod is made by itself here, so kubectl run cannot make "${name}": pods are made from a Deployment, a StatefulSet or a Job, and run programs of this machine; use kubectl create deployment ${name} --image=${name} -- COMMAND, or kubectl create job for a program that ends, or hauberk run for one that you start yourself`
      : `${kind.plural} "${name}" is written by the mesh alone; change what it is made from`;
  return new StatusError(403, "Forbidden", { message });
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
