/** What probes found wrong since the mesh was looked at last. */
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import type { ContainerFacts, MeshFacts, PodFacts } from "../projection/mesh-facts.ts";
import type { Happening } from "./happening.ts";

/** A readiness probe's finding has no such beginning. */
const OTHER_PROBE = /^(liveness|startup) probe: /;

/** @param before absent: it was never looked at */
export function probeHappenings(
  before: MeshFacts | undefined,
  now: MeshFacts,
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
  { planned: { workload } }: PodFacts,
  { name }: ContainerFacts,
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
  const [beginning = "", which = "readiness"] = OTHER_PROBE.exec(problem) ?? [];
  const said = problem.slice(beginning.length);
  const unhealthy: Happening = {
    about,
    component: "kubelet",
    type: "Warning",
    reason: "Unhealthy",
    message: `${which.charAt(0).toUpperCase()}${which.slice(1)} probe failed: ${said}`,
  };
  if (which === "readiness") return [unhealthy];
  const message = `Container ${name} failed ${which} probe, will be restarted`;
  return [unhealthy, { about, component: "kubelet", type: "Normal", reason: "Killing", message }];
}

const POD: Pick<KubernetesObject, "apiVersion" | "kind"> = { apiVersion: "v1", kind: "Pod" };

function uidOf({ planned }: PodFacts): string {
  return planned.workload.uid;
}
