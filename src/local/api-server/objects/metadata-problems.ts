/** What is wrong with an object's metadata, in Kubernetes' words. */
import type { KubernetesObject, ObjectMeta } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { nameProblems } from "./object-names.ts";
import type { StatusCause } from "./status-error.ts";

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_NAME = 63;
const MAX_PREFIX = 253;
/** Source: `TotalAnnotationSizeLimitB`. */
const MAX_ANNOTATION_BYTES = 262_144;

const NAME_PART =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** @returns one cause a fault; empty where all is well */
export function metadataProblems(kind: ServedKind, object: KubernetesObject): StatusCause[] {
  const { name = "", labels = {}, annotations = {}, finalizers = [] } = object.metadata;
  return [
    ...nameProblems(kind, name).map((problem) => invalidValue("metadata.name", name, problem)),
    ...Object.entries(labels).flatMap(([key, value]) => labelProblems(key, value)),
    ...Object.keys(annotations).flatMap((key) =>
      keyProblems(key.toLowerCase(), key).map((problem) =>
        invalidValue("metadata.annotations", key, problem),
      ),
    ),
    ...annotationSizeProblems(annotations),
    ...finalizers
      .map(textOf)
      .flatMap((key) =>
        keyProblems(key, key).map((problem) => invalidValue("metadata.finalizers", key, problem)),
      ),
  ];
}

/** What no update may alter. */
export function immutableProblems(before: ObjectMeta, after: ObjectMeta): StatusCause[] {
  const problems: StatusCause[] = [];
  if (after.uid !== undefined && after.uid !== "" && after.uid !== before.uid)
    problems.push(invalidValue("metadata.uid", after.uid, "field is immutable"));
  if (before.deletionTimestamp === undefined) return problems;
  const added = (after.finalizers ?? []).filter((one) => !before.finalizers?.includes(one));
  if (added.length > 0) {
    const found = added.map((one) => JSON.stringify(one)).join(", ");
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`;
    problems.push({ reason: "FieldValueForbidden", field: "metadata.finalizers", message });
  }
  return problems;
}

export function invalidValue(field: string, value: string | number, problem: string): StatusCause {
  const message = `Invalid value: ${JSON.stringify(value)}: ${problem}`;
  return { reason: "FieldValueInvalid", message, field };
}

/** @param supported what there is instead, in quotes */
export function unsupportedValue(
  field: string,
  value: string,
  supported: readonly string[],
): StatusCause {
  const known = supported.map((one) => JSON.stringify(one)).join(", ");
  const message = `Unsupported value: ${value}: supported values: ${known}`;
  return { reason: "FieldValueNotSupported", message, field };
}

export function forbiddenValue(field: string, problem: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${problem}`, field };
}

export function requiredValue(field: string, problem: string): StatusCause {
  return { reason: "FieldValueRequired", message: `Required value: ${problem}`, field };
}

/** In a list of texts, what is sent as `null` is the empty text to Kubernetes. */
function textOf(sent: string | null): string {
  return sent ?? "";
}

function labelProblems(key: string, value: string): StatusCause[] {
  const problems = keyProblems(key, key).map((problem) =>
    invalidValue("metadata.labels", key, problem),
  );
  if (value.length > MAX_NAME)
    problems.push(
      invalidValue("metadata.labels", value, `must be no more than ${MAX_NAME} characters`),
    );
  if (value !== "" && !NAME.test(value))
    problems.push(invalidValue("metadata.labels", value, LABEL_VALUE));
  return problems;
}

/** Of a qualified name such as `example.com/part`. */
function keyProblems(key: string, written: string): string[] {
  const parts = key.split("/");
  const [name = "", prefix] = parts.reverse();
  if (parts.length > 2)
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const problems: string[] = [];
  if (prefix === "") problems.push("prefix part must be non-empty");
  else if (prefix !== undefined && (!PREFIX.test(prefix) || prefix.length > MAX_PREFIX))
    problems.push(
      "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    );
  if (name === "") problems.push("name part must be non-empty");
  else if (name.length > MAX_NAME)
    problems.push(`name part must be no more than ${MAX_NAME} characters`);
  if (!NAME.test(written.slice(written.lastIndexOf("/") + 1))) problems.push(NAME_PART);
  return problems;
}

function annotationSizeProblems(
  annotations: NonNullable<ObjectMeta["annotations"]>,
): StatusCause[] {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes <= MAX_ANNOTATION_BYTES) return [];
  return [
    {
      reason: "FieldValueTooLong",
      field: "metadata.annotations",
      message: `Too long: may not be more than ${MAX_ANNOTATION_BYTES} bytes`,
    },
  ];
}
