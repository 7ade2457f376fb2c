/** A sequence's operations as calls of the Kubernetes API, and what is kept of each answer. */
import type {
  JsonObject,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import { comparableObject, digestOf, type RecordedStep } from "./comparable-object.ts";
import type { Operation, OperationSequence } from "./operation-sequences.ts";

export const SEQUENCE_NAMESPACE = "sequences";

const PATCHES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

export interface SequenceCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: unknown;
  readonly contentType?: string;
}

export interface SequenceAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Who writes an object anew says which version it was before. */
export function versioned(operation: Operation, before: KubernetesObject | undefined): Operation {
  if (operation.type !== "update" || operation.subresource !== undefined) return operation;
  const body = operation.body as KubernetesObject;
  const resourceVersion = before?.metadata.resourceVersion;
  if (resourceVersion === undefined) return operation;
  return { ...operation, body: { ...body, metadata: { ...body.metadata, resourceVersion } } };
}

export function stepOf(
  { status, body }: SequenceAnswer,
  before: KubernetesObject | undefined,
  after: KubernetesObject | undefined,
): RecordedStep {
  const same = before?.metadata.resourceVersion === after?.metadata.resourceVersion;
  return {
    status,
    ...(after !== undefined && { digest: digestOf(comparableObject(after)), at: newest(after) }),
    ...(after !== undefined && same && { unchanged: true as const }),
    ...(status >= 400 && { refusal: refusalOf(body) }),
  };
}

function refusalOf(body: unknown): JsonObject {
  const { message, reason } = body as JsonObject;
  return { ...(reason !== undefined && { reason }), ...(message !== undefined && { message }) };
}

function newest({ metadata }: KubernetesObject): number {
  const born = Date.parse(metadata.creationTimestamp ?? "");
  const times = (metadata.managedFields ?? []).map(({ time }) => Date.parse(String(time)));
  const last = Math.max(born, ...times.filter((time) => !Number.isNaN(time)));
  return (last - born) / 1000;
}

export function pathOf({ kind: { apiVersion, plural }, name }: OperationSequence): string {
  return `${collection(apiVersion, plural)}/${name}`;
}

function collection(apiVersion: string, plural: string): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${SEQUENCE_NAMESPACE}/${plural}`;
}

export function callOf(sequence: OperationSequence, operation: Operation): SequenceCall {
  const { type, manager, body, subresource, force } = operation;
  const { apiVersion, plural } = sequence.kind;
  const part = subresource === undefined ? "" : `/${subresource}`;
  const query = new URLSearchParams({ fieldManager: manager, ...(force && { force: "true" }) });
  const path = `${pathOf(sequence)}${part}?${query}`;
  if (type === "create") {
    return { method: "POST", path: `${collection(apiVersion, plural)}?${query}`, body };
  }
  if (type === "update") return { method: "PUT", path, body };
  return { method: "PATCH", path, body, contentType: PATCHES[type] };
}
