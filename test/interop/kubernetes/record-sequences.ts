/** Plays the random sequences to a real kube-apiserver, and keeps what became of the objects. */
import type {
  JsonObject,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import {
  comparableObject,
  digestOf,
  type RecordedSequence,
  type RecordedStep,
} from "../../kit/kubernetes/comparable-object.ts";
import {
  type Operation,
  type OperationSequence,
  operationSequence,
  SEQUENCES,
} from "../../kit/kubernetes/operation-sequences.ts";
import type { RealAnswer, RealApiServer, RealCall } from "./real-api-server.ts";

const NAMESPACE = "sequences";

const PATCHES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** @param keep told of each object, whole, as it is after each step */
export async function recordSequences(
  real: RealApiServer,
  keep?: (seed: number, step: number, object: JsonObject) => void,
): Promise<RecordedSequence[]> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await real.call({ method: "POST", path: "/api/v1/namespaces", body: namespace });
  const recorded: RecordedSequence[] = [];
  for (let seed = 1; seed <= SEQUENCES; seed++) {
    const sequence = operationSequence(seed);
    const steps: RecordedStep[] = [];
    let before: KubernetesObject | undefined;
    for (const operation of sequence.operations) {
      const answer = await real.call(callOf(sequence, versioned(operation, before)));
      const current = await real.call({ method: "GET", path: pathOf(sequence) });
      const after = current.status === 200 ? (current.body as KubernetesObject) : undefined;
      steps.push(stepOf(answer, before, after));
      if (after !== undefined) keep?.(seed, steps.length - 1, comparableObject(after));
      before = after;
    }
    recorded.push({ seed, steps, object: before === undefined ? null : comparableObject(before) });
  }
  return recorded;
}

/** Who writes an object anew says which version it was before. */
function versioned(operation: Operation, before: KubernetesObject | undefined): Operation {
  if (operation.type !== "update" || operation.subresource !== undefined) return operation;
  const body = operation.body as KubernetesObject;
  const resourceVersion = before?.metadata.resourceVersion;
  if (resourceVersion === undefined) return operation;
  return { ...operation, body: { ...body, metadata: { ...body.metadata, resourceVersion } } };
}

function stepOf(
  { status, body }: RealAnswer,
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

function pathOf({ kind: { apiVersion, plural }, name }: OperationSequence): string {
  return `${collection(apiVersion, plural)}/${name}`;
}

function collection(apiVersion: string, plural: string): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${NAMESPACE}/${plural}`;
}

function callOf(sequence: OperationSequence, operation: Operation): RealCall {
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
