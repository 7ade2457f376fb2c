/** An object out of a body: of the right kind, without fields that nobody knows, with its defaults. */
import { isJsonObject, textAt } from "../kinds/json-access.ts";
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import { badRequest } from "../objects/refusals.ts";
import type { StatusError } from "../objects/status-error.ts";
import { knownFields } from "./known-fields.ts";
import { refuseUnbounded } from "./object-bounds.ts";
import type { FieldValidation } from "./request-options.ts";
import type { ResourceTarget } from "./resource-target.ts";

export interface DecodedObject {
  readonly object: KubernetesObject;
  readonly warnings: readonly string[];
  /** Paths of fields that the kind does not have; they are gone. */
  readonly unknown: readonly string[];
}

/** @throws StatusError 400 */
export function decodeObject(
  body: JsonObject,
  { target, ...options }: Omit<Settling, "refusal">,
): DecodedObject {
  const { kind, apiVersion } = target;
  const given = { apiVersion: textAt(body, "apiVersion"), kind: textAt(body, "kind") };
  if ((given.kind || kind.kind) !== kind.kind || (given.apiVersion || apiVersion) !== apiVersion)
    throw badRequest(
      `${given.kind} in version ${JSON.stringify(given.apiVersion)} cannot be handled as a ${kind.kind}: the path is of ${apiVersion}`,
    );
  const { metadata = {} } = body;
  if (!isJsonObject(metadata)) throw badRequest("metadata is not an object");
  const whole = { ...body, apiVersion, kind: kind.kind, metadata };
  const refusal = (problem: string): StatusError =>
    badRequest(
      `${kind.kind} in version ${JSON.stringify(versionOf(apiVersion))} cannot be handled as a ${kind.kind}: ${problem}`,
    );
  return settled(inNamespace(whole, target), { ...options, target, refusal });
}

interface Settling {
  readonly target: ResourceTarget;
  readonly fieldValidation: FieldValidation;
  /** Of values of a wrong type, and of unknown fields where they are not let through. */
  readonly refusal: (problem: string) => StatusError;
  /** "left out" of what is applied: its manager wants what it says, in the version it says, and nothing else. */
  readonly defaults?: "filled in" | "left out";
}

/** What a patch made of an object is looked at as if it had been sent. @throws StatusError 400, 413, and by `refusal` */
export function settled(
  object: KubernetesObject,
  { target, fieldValidation, refusal, defaults = "filled in" }: Settling,
): DecodedObject {
  const { kind } = target;
  refuseUnbounded(object);
  const { object: known, unknown, mistyped } = knownFields(kind, object);
  if (mistyped !== undefined) throw refusal(mistyped);
  const told = unknown.map((path) => `unknown field "${path}"`);
  if (told.length > 0 && fieldValidation === "Strict")
    throw refusal(`strict decoding error: ${told.join(", ")}`);
  const stored = storedVersion(known, target);
  return {
    object: defaults === "filled in" ? (kind.withDefaults?.(stored) ?? stored) : known,
    warnings: fieldValidation === "Warn" ? told : [],
    unknown,
  };
}

/** All versions of a kind have one form: only its name changes. */
export function storedVersion(
  object: KubernetesObject,
  { kind: { group, versions } }: Pick<ResourceTarget, "kind">,
): KubernetesObject {
  const apiVersion = group === "" ? versions[0] : `${group}/${versions[0]}`;
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

function inNamespace(object: KubernetesObject, target: ResourceTarget): KubernetesObject {
  const { kind, namespace, name } = target;
  const { metadata } = object;
  if (kind.namespaced && (metadata.namespace ?? "") !== "" && metadata.namespace !== namespace)
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  if (name !== undefined && (metadata.name ?? "") !== "" && metadata.name !== name)
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  return {
    ...object,
    metadata: kind.namespaced && namespace !== undefined ? { ...metadata, namespace } : metadata,
  };
}

function versionOf(apiVersion: string): string {
  return apiVersion.split("/").at(-1) ?? apiVersion;
}
