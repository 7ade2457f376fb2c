/** `metadata`, as every resource has it. Source: Kubernetes ObjectMeta. */
import type { Check, Fields } from "./decoder.ts";
import type { Position } from "./parse-report.ts";
import { quoted } from "./quoted.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { labelKeyProblem, labelNameProblem, labelValueProblem } from "./resource-names.ts";

/** Written by an API server for itself: found in every `kubectl get -o yaml`. */
const SERVER_FIELDS = [
  "uid",
  "resourceVersion",
  "generation",
  "managedFields",
  "selfLink",
  "clusterName",
];
const UNUSED_FIELDS = [
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
];

/** RFC 3339 section 5.6 */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

/** Annotation values together, as Kubernetes bounds them. */
const MAX_ANNOTATION_LENGTH = 256 * 1024;

export interface MetaOptions {
  readonly apiVersion: string;
  readonly file: string;
  readonly scope: "namespaced" | "cluster";
  readonly nameProblem: Check;
  /** Where the resource begins. */
  readonly at: Position;
}

export function resourceMeta(metadata: Fields, options: MetaOptions): ResourceMeta {
  const name = metadata.requiredText("name", options.nameProblem);
  const creationTimestamp = metadata.text("creationTimestamp", timestampProblem);
  metadata.accept([...SERVER_FIELDS, "generateName"]);
  metadata.unused(UNUSED_FIELDS);
  return {
    apiVersion: options.apiVersion,
    namespace: namespaceOf(metadata, options.scope),
    name,
    ...labelsAndAnnotations(metadata),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    source: { file: options.file, line: options.at.line },
  };
}

/** `metadata` of a pod template: only labels and annotations count. */
export function templateMeta(metadata: Fields): Pick<ResourceMeta, "labels" | "annotations"> {
  metadata.accept([...SERVER_FIELDS, "creationTimestamp"]);
  metadata.unused([...UNUSED_FIELDS, "name", "namespace", "generateName"]);
  return labelsAndAnnotations(metadata);
}

function labelsAndAnnotations(metadata: Fields): { labels: Labels; annotations: Labels } {
  const labels = metadata.stringMap("labels", { key: labelKeyProblem, value: labelValueProblem });
  const annotations = metadata.stringMap("annotations", { key: labelKeyProblem });
  const length = Object.values(annotations).reduce((sum, value) => sum + value.length, 0);
  if (length > MAX_ANNOTATION_LENGTH) {
    metadata.report("annotations", `are longer than ${MAX_ANNOTATION_LENGTH} characters together`);
  }
  return { labels, annotations };
}

function namespaceOf(metadata: Fields, scope: MetaOptions["scope"]): string {
  const written = metadata.text("namespace", labelNameProblem);
  if (scope === "namespaced") return written ?? "default";
  if (written !== undefined)
    metadata.report("namespace", "must not be set: the kind lives in none");
  return "";
}

function timestampProblem(text: string): string | undefined {
  if (TIMESTAMP.test(text) && !Number.isNaN(Date.parse(text))) return undefined;
  return `${quoted(text)} is not a time in RFC 3339 form, such as 2026-01-31T12:00:00Z`;
}
