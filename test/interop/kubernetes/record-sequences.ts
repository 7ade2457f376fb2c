/** Plays the random sequences to a real kube-apiserver, and keeps what became of the objects. */
import type {
  JsonObject,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import {
  comparableObject,
  type RecordedSequence,
  type RecordedStep,
} from "../../kit/kubernetes/comparable-object.ts";
import { operationSequence, SEQUENCES } from "../../kit/kubernetes/operation-sequences.ts";
import {
  callOf,
  pathOf,
  SEQUENCE_NAMESPACE,
  stepOf,
  versioned,
} from "../../kit/kubernetes/sequence-calls.ts";
import type { RealApiServer } from "./real-api-server.ts";

/** @param keep told of each object, whole, as it is after each step */
export async function recordSequences(
  real: RealApiServer,
  keep?: (seed: number, step: number, object: JsonObject) => void,
): Promise<RecordedSequence[]> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: SEQUENCE_NAMESPACE } };
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
