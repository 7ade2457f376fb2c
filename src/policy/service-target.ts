/** From a service's port to the container port behind it. */
import type { ServicePort } from "../api/service.ts";
import type { Workload, WorkloadPort } from "./workload.ts";

/** @returns undefined when the workload has no port of that number or name */
export function targetContainerPort(
  { targetPort }: Pick<ServicePort, "targetPort">,
  { ports }: Pick<Workload, "ports">,
): WorkloadPort | undefined {
  return ports.find(({ name, containerPort }) =>
    typeof targetPort === "number" ? containerPort === targetPort : name === targetPort,
  );
}
