/** How much an object may hold: what walks through it may call itself, and does all it does in one turn of the loop. */
import { isJsonList, isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import { badRequest } from "../objects/refusals.ts";
import { StatusError } from "../objects/status-error.ts";

/** Deeper than any resource. */
const MAX_DEPTH = 100;
/** Far more than anybody has written; with so many, ownership is worked out within half a second. */
const MAX_VALUES = 20_000;
/** Of a body, with all that its managers own. */
const MAX_BODY_VALUES = 100_000;

/** @throws StatusError 400, 413 */
export function boundedBody(body: JsonValue): JsonValue {
  refuseBeyond(body, MAX_BODY_VALUES);
  return body;
}

/** @throws StatusError 400, 413 */
export function refuseUnbounded(object: KubernetesObject): void {
  const { managedFields = [], ...metadata } = object.metadata;
  refuseBeyond({ ...object, metadata } as JsonObject, MAX_VALUES);
  refuseBeyond(managedFields, MAX_BODY_VALUES);
}

function refuseBeyond(value: JsonValue, most: number): void {
  let level: readonly (JsonValue | undefined)[] = [value];
  let count = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw badRequest(`the body is nested deeper than ${MAX_DEPTH}`);
    const below: (JsonValue | undefined)[] = [];
    for (const one of level) {
      const parts = isJsonList(one) ? one : isJsonObject(one) ? Object.values(one) : [];
      count += parts.length;
      if (count > most) throw tooMany(most);
      for (const part of parts) below.push(part);
    }
    level = below;
  }
}

function tooMany(most: number): StatusError {
  return new StatusError(413, "RequestEntityTooLarge", {
    message: `Request entity too large: it holds more than ${most} values`,
  });
}
