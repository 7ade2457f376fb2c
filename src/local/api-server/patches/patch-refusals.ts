/** Why a patch is refused, as a Kubernetes API server says it. */
import { StatusError } from "../objects/status-error.ts";

export function badPatch(message: string): StatusError {
  return new StatusError(400, "BadRequest", { message });
}

/** Of a patch that is one, but not of this object. */
export function unfitPatch(): StatusError {
  return new StatusError(422, "Invalid", {
    message: "the server rejected our request due to an error in our request",
    details: {},
  });
}

export function tooManyOperations(most: number, given: number): StatusError {
  return new StatusError(413, "RequestEntityTooLarge", {
    message: `The allowed maximum operations in a JSON patch is ${most}, got ${given}`,
  });
}

/** Source: the library's `AccumulatedCopySizeError`. */
export function copiesTooMuch(most: number, given: number): StatusError {
  return new StatusError(413, "RequestEntityTooLarge", {
    message: `Unable to complete the copy, the accumulated size increase of copy is ${given}, exceeding the limit ${most}`,
  });
}

export function tooLaborious(): StatusError {
  return new StatusError(413, "RequestEntityTooLarge", {
    message:
      "The JSON patch shifts too many entries of lists: send it in parts, or as a merge patch",
  });
}

/** Of a patch after which nothing of the kind is left: a field holds what it cannot hold. */
export function invalidPatch(what: string): StatusError {
  return new StatusError(422, "Invalid", {
    message: ` "" is invalid: patch: Invalid value: ${what}`,
    details: {
      causes: [{ reason: "FieldValueInvalid", message: `Invalid value: ${what}`, field: "patch" }],
    },
  });
}
