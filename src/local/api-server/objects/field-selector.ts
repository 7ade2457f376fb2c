/** Field selectors as they stand in a URL: `metadata.name=shop,status.phase!=Running`. Source: apimachinery `pkg/fields`. */
import { valueAt } from "../kinds/json-access.ts";
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { badRequest } from "./refusals.ts";

export type FieldSelector = (object: KubernetesObject) => boolean;

const MAX_SELECTOR = 8_192;
const METADATA = ["metadata.name", "metadata.namespace"];
/** Beyond an object's name and namespace: by resource, what Kubernetes selects by, too. */
const SELECTABLE: ReadonlyMap<string, readonly string[]> = new Map([
  [
    "/pods",
    [
      "spec.nodeName",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.serviceAccountName",
      "spec.hostNetwork",
      "status.phase",
      "status.podIP",
      "status.nominatedNodeName",
    ],
  ],
  ["/namespaces", ["status.phase"]],
  ["/secrets", ["type"]],
  ["/services", ["spec.clusterIP", "spec.type"]],
  ["batch/jobs", ["status.successful"]],
  [
    "/events",
    [
      "involvedObject.kind",
      "involvedObject.namespace",
      "involvedObject.name",
      "involvedObject.uid",
      "involvedObject.apiVersion",
      "involvedObject.resourceVersion",
      "involvedObject.fieldPath",
      "reason",
      "reportingComponent",
      "source",
      "type",
    ],
  ],
  [
    "events.k8s.io/events",
    [
      "regarding.kind",
      "regarding.namespace",
      "regarding.name",
      "regarding.uid",
      "regarding.apiVersion",
      "regarding.resourceVersion",
      "regarding.fieldPath",
      "reason",
      "reportingController",
      "type",
    ],
  ],
]);
const TERM = /^([^=!]+?)(!=|==|=)(.*)$/;

/** @throws StatusError 400 for what cannot be read, or fields that objects of the kind are not selected by */
export function parseFieldSelector(text: string, kind: ServedKind): FieldSelector {
  if (text.trim() === "") return () => true;
  if (text.length > MAX_SELECTOR) throw badRequest("the field selector is too long");
  const terms = splitTerms(text)
    .filter((term) => term !== "")
    .map((term) => readTerm(term, kind));
  return (object) => terms.every((matches) => matches(object));
}

function readTerm(term: string, kind: ServedKind): FieldSelector {
  const [, field = "", operator, value = ""] = TERM.exec(term) ?? [];
  if (operator === undefined)
    throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  const known = SELECTABLE.get(`${kind.group}/${kind.plural}`);
  if (!METADATA.includes(field) && known?.includes(field) !== true)
    throw badRequest(
      known === undefined
        ? `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
        : `field label not supported: ${field}`,
    );
  const path = field.split(".");
  const wanted = value.replace(/\\(.)/g, "$1");
  const isWanted = operator !== "!=";
  return (object) => (fieldText(object, path) === wanted) === isWanted;
}

/** A comma behind a backslash separates nothing. */
function splitTerms(text: string): string[] {
  return text.split(/(?<=(?:^|[^\\])(?:\\\\)*),/).map((term) => term.replace(/,$/, "").trim());
}

/** An event's source is a component; what is absent is the empty text. */
function fieldText(object: KubernetesObject, path: readonly string[]): string {
  const place = path.join(".") === "source" ? ["source", "component"] : path;
  const value = valueAt(object, place);
  return typeof value === "object" || value === undefined ? "" : String(value);
}
