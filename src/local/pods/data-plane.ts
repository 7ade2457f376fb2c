/** Which data plane stands beside a pod: our own sidecar, or a real Envoy with its agent. */
import { PROXY_ANNOTATION } from "../../api/own-annotations.ts";
import type { PodTemplate } from "../../api/pod-template.ts";

export const DATA_PLANES = ["embedded", "envoy"] as const;
export type DataPlane = (typeof DATA_PLANES)[number];

/** @param otherwise of pods whose annotations say nothing */
export function dataPlaneOf(
  { annotations }: Pick<PodTemplate, "annotations">,
  otherwise: DataPlane,
): DataPlane {
  return DATA_PLANES.find((one) => one === annotations[PROXY_ANNOTATION]) ?? otherwise;
}
