/** Refusals in Kubernetes' own words: clients look for these texts. Source: apimachinery `api/errors`. */
import type { ServedKind } from "../kinds/served-kind.ts";
import { type StatusCause, StatusError } from "./status-error.ts";

type Named = Pick<ServedKind, "group" | "kind" | "plural">;

export function badRequest(message: string): StatusError {
  return new StatusError(400, "BadRequest", { message });
}

export function notFound(kind: Named, name: string): StatusError {
  return new StatusError(404, "NotFound", {
    message: `${resourceOf(kind)} "${name}" not found`,
    details: detailsOf(kind, name),
  });
}

/** For a path that leads to nothing at all. */
export function noSuchPath(): StatusError {
  return new StatusError(404, "NotFound", {
    message: "the server could not find the requested resource",
    details: {},
  });
}

export function alreadyExists(kind: Named, name: string): StatusError {
  return new StatusError(409, "AlreadyExists", {
    message: `${resourceOf(kind)} "${name}" already exists`,
    details: detailsOf(kind, name),
  });
}

const MODIFIED =
  "the object has been modified; please apply your changes to the latest version and try again";

export function conflict(kind: Named, name: string, problem: string = MODIFIED): StatusError {
  return new StatusError(409, "Conflict", {
    message: `Operation cannot be fulfilled on ${resourceOf(kind)} "${name}": ${problem}`,
    details: detailsOf(kind, name),
  });
}

export function forbidden(
  kind: Named,
  name: string,
  { problem, causes }: { readonly problem: string; readonly causes?: readonly StatusCause[] },
): StatusError {
  return new StatusError(403, "Forbidden", {
    message: `${resourceOf(kind)} "${name}" is forbidden: ${problem}`,
    details: { ...detailsOf(kind, name), ...(causes === undefined ? {} : { causes }) },
  });
}

/** Nobody reads more; what strangers write may have hundreds of thousands. */
const MAX_CAUSES = 100;

/** @param found at least one, each with its field */
export function invalid(kind: Named, name: string, found: readonly StatusCause[]): StatusError {
  const causes = found.slice(0, MAX_CAUSES);
  const told = causes.map(({ field, message }) =>
    field === undefined ? message : `${field}: ${message}`,
  );
  if (found.length > MAX_CAUSES) told.push(`and ${found.length - MAX_CAUSES} more`);
  const all = told.length === 1 ? told.join("") : `[${told.join(", ")}]`;
  return new StatusError(422, "Invalid", {
    message: `${kindOf(kind)} "${name}" is invalid: ${all}`,
    details: {
      ...(name === "" ? {} : { name }),
      ...groupOf(kind),
      ...(kind.kind === "" ? {} : { kind: kind.kind }),
      causes,
    },
  });
}

export function methodNotAllowed(): StatusError {
  return new StatusError(405, "MethodNotAllowed", {
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
}

/** For the options of a request, such as `fieldManager`. */
export function invalidOptions(options: string, cause: StatusCause): StatusError {
  return invalid({ group: "meta.k8s.io", kind: options, plural: "" }, "", [cause]);
}

/** What was asked about lies beyond the changes that are kept. */
export function expired(message: string): StatusError {
  return new StatusError(410, "Expired", { message });
}

/** `configmaps`, `deployments.apps`. */
export function resourceOf({ group, plural }: Named): string {
  return group === "" ? plural : `${plural}.${group}`;
}

function kindOf({ group, kind }: Named): string {
  return group === "" ? kind : `${kind}.${group}`;
}

function groupOf({ group }: Named): { group?: string } {
  return group === "" ? {} : { group };
}

function detailsOf(
  kind: Named,
  name: string,
): { readonly name: string; readonly group?: string; readonly kind: string } {
  return { name, ...groupOf(kind), kind: kind.plural };
}
