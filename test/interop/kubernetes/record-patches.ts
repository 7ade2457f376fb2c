/** What a real kube-apiserver makes of patches. */
import type { KubernetesObject } from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import { comparableObject } from "../../kit/kubernetes/comparable-object.ts";
import { collectionPath } from "../../kit/kubernetes/object-paths.ts";
import { PATCH_CASES } from "../../kit/kubernetes/patch-cases.ts";
import type { RecordedPatch } from "../../kit/kubernetes/recorded-patch.ts";
import type { RealApiServer } from "./real-api-server.ts";

const CONTENT_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

/** A namespace for each: nothing of one is left to the next. */
export async function recordPatches(real: RealApiServer): Promise<RecordedPatch[]> {
  const recorded: RecordedPatch[] = [];
  for (const [index, { name, object, type, body }] of PATCH_CASES.entries()) {
    const namespace = `patches-${index}`;
    const made = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    await real.call({ method: "POST", path: "/api/v1/namespaces", body: made });
    const path = collectionPath(object, namespace);
    const { status: created } = await real.call({ method: "POST", path, body: object });
    if (created !== 201) throw new Error(`${name}: the object was not made`);
    const answer = await real.call({
      method: "PATCH",
      path: `${path}/${object.metadata.name}?fieldValidation=Ignore`,
      body: JSON.stringify(body),
      contentType: CONTENT_TYPES[type],
    });
    recorded.push({ type, name, status: answer.status, ...outcome(answer.status, answer.body) });
  }
  return recorded;
}

function outcome(status: number, body: unknown): Partial<RecordedPatch> {
  if (status >= 400) {
    const { reason, message } = body as { reason?: string; message: string };
    return { message: message.slice(0, 200), ...(reason && { reason }) };
  }
  const { metadata, ...object } = comparableObject(body as KubernetesObject);
  const { managedFields: _, namespace: __, generation: ___, ...own } = metadata;
  return { object: { ...object, metadata: own } };
}
