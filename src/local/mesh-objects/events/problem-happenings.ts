/** What probes and hooks found wrong with containers since the mesh was looked at last. */

import type { Workload } from "../../../policy/workload.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ContainerFacts } from "../projection/mesh-facts.ts";
import type { Happening } from "./happening.ts";

/** A readiness probe's finding has no such beginning. */
const OTHER_PROBE = /^(liveness|startup) probe: /;
const HOOK = /^(postStart|preStop) hook: /;

/** What of the facts of a mesh tells it. */
export interface FoundProblems {
  readonly pods: readonly {
    readonly planned: { readonly workload: Pick<Workload, "namespace" | "name" | "uid"> };
    readonly containers: readonly Pick<ContainerFacts, "name" | "problem">[];
  }[];
}

type FoundPod = FoundProblems["pods"][number];

/** @param before absent: it was never looked at */
export function problemHappenings(
  before: FoundProblems | undefined,
  now: FoundProblems,
): readonly Happening[] {
  const known = new Map((before?.pods ?? []).map((pod) => [uidOf(pod), pod]));
  return now.pods.flatMap((pod) =>
    pod.containers.flatMap((container) => {
      const { name, problem } = container;
      const was = known.get(uidOf(pod))?.containers.find((one) => one.name === name);
      if (problem === undefined || problem === was?.problem) return [];
      return found(pod, container, problem);
    }),
  );
}

function found(
  { planned: { workload } }: FoundPod,
  { name }: FoundPod["containers"][number],
  problem: string,
): readonly Happening[] {
  const { namespace, name: pod, uid } = workload;
  const about = {
    ...POD,
    namespace,
    name: pod,
    uid,
    fieldPath: `spec.containers{${name}}`,
  };
  const told = { about, component: "kubelet" };
  const [hookBeginning = "", hook] = HOOK.exec(problem) ?? [];
  if (hook !== undefined) {
    const what = `${hook.charAt(0).toUpperCase()}${hook.slice(1)}Hook`;
    const message = `${what} failed: ${problem.slice(hookBeginning.length)}`;
    const failed: Happening = { ...told, type: "Warning", reason: `Failed${what}`, message };
    if (hook === "preStop") return [failed];
    return [failed, { ...told, type: "Normal", reason: "Killing", message: failed.reason }];
  }
  const [beginning = "", which = "readiness"] = OTHER_PROBE.exec(problem) ?? [];
  const unhealthy: Happening = {
    ...told,
    type: "Warning",
    reason: "Unhealthy",
    message: `${which.charAt(0).toUpperCase()}${which.slice(1)} probe failed: ${problem.slice(beginning.length)}`,
  };
  if (which === "readiness") return [unhealthy];
  const message = `Container ${name} failed ${which} probe, will be restarted`;
  return [unhealthy, { ...told, type: "Normal", reason: "Killing", message }];
}

const POD: Pick<KubernetesObject, "apiVersion" | "kind"> = { apiVersion: "v1", kind: "Pod" };

function uidOf({ planned }: FoundPod): string {
  return planned.workload.uid;
}
