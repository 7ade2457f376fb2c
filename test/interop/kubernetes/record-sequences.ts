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
import {
  type OperationSequence,
  operationSequence,
  SEQUENCES,
} from "../../kit/kubernetes/operation-sequences.ts";
import {
  type RecordedScenario,
  type RecordedScenarioStep,
  SCENARIOS,
} from "../../kit/kubernetes/scenarios.ts";
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
  await makeNamespace(real);
  const recorded: RecordedSequence[] = [];
  for (let seed = 1; seed <= SEQUENCES; seed++) {
    const steps: RecordedStep[] = [];
    let object: JsonObject | null = null;
    for await (const { step, after } of playedToServer(real, operationSequence(seed))) {
      steps.push(step);
      object = after === undefined ? null : comparableObject(after);
      if (object !== null) keep?.(seed, steps.length - 1, object);
    }
    recorded.push({ seed, steps, object });
  }
  return recorded;
}

/** Of scenarios only who owns what is kept: what the objects are the defaults tell. */
export async function recordScenarios(real: RealApiServer): Promise<RecordedScenario[]> {
  await makeNamespace(real);
  const recorded: RecordedScenario[] = [];
  for (const { title, sequence } of SCENARIOS) {
    const steps: RecordedScenarioStep[] = [];
    for await (const { step, after } of playedToServer(real, sequence)) {
      const { digest: _, ...rest } = step;
      const managedFields = after && comparableObject(after).metadata.managedFields;
      steps.push({ ...rest, ...(managedFields && { managedFields }) });
    }
    recorded.push({ title, steps });
  }
  return recorded;
}

/** It may be there already. */
async function makeNamespace(real: RealApiServer): Promise<void> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: SEQUENCE_NAMESPACE } };
  await real.call({ method: "POST", path: "/api/v1/namespaces", body: namespace });
}

interface PlayedToServer {
  readonly step: RecordedStep;
  readonly after: KubernetesObject | undefined;
}

async function* playedToServer(
  real: RealApiServer,
  sequence: OperationSequence,
): AsyncGenerator<PlayedToServer> {
  let before: KubernetesObject | undefined;
  for (const operation of sequence.operations) {
    const answer = await real.call(callOf(sequence, versioned(operation, before)));
    const current = await real.call({ method: "GET", path: pathOf(sequence) });
    const after = current.status === 200 ? (current.body as KubernetesObject) : undefined;
    yield { step: stepOf(answer, before, after), after };
    before = after;
  }
}
