/** What a pod asks of this mesh, and of no other, by annotations of its template. */
import { closestName } from "./closest-name.ts";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";

/** Whether the pod is given the SPIFFE Workload API: "true" or "false". */
export const WORKLOAD_API_ANNOTATION = "hauberk.dev/workload-api";

/** Which data plane stands beside the pod: "envoy", or "embedded", which is our own sidecar. Absent: as the mesh has it. */
export const PROXY_ANNOTATION = "hauberk.dev/proxy";

/**
 * On the pod of a program that joined, written by the mesh: `8080=6379` for one that serves container port 8080 on port
 * 6379, several with commas.
 */
export const LISTENS_ON_ANNOTATION = "hauberk.dev/listens-on";

/**
 * On an AuthorizationPolicy of action CUSTOM: its authorizer is asked, what it says is told, and changes nothing. Istio's own
 * annotation is refused there (AP-113).
 */
export const DRY_RUN_ANNOTATION = "hauberk.dev/dry-run";

export const OWN_PREFIX = "hauberk.dev/";
/** What people write of pods. */
export const POD_ANNOTATIONS: readonly string[] = [WORKLOAD_API_ANNOTATION, PROXY_ANNOTATION];
const KNOWN = [...POD_ANNOTATIONS, LISTENS_ON_ANNOTATION];

/** @param written names and values of the section `annotations` */
export function checkOwnAnnotations(
  annotations: Fields,
  written: Readonly<Record<string, string>>,
): void {
  for (const name of Object.keys(written)) {
    if (!name.startsWith(OWN_PREFIX) || KNOWN.includes(name)) continue;
    const meant = closestName(name, POD_ANNOTATIONS);
    const hint =
      meant === undefined ? `there is ${POD_ANNOTATIONS.join(", ")}` : `did you mean ${meant}?`;
    annotations.report(name, `is no annotation of this mesh; ${hint}`);
  }
  annotations.text(WORKLOAD_API_ANNOTATION, (value) =>
    value === "true" || value === "false"
      ? undefined
      : `is ${quoted(value)}; expected "true" or "false"`,
  );
  annotations.text(PROXY_ANNOTATION, (value) =>
    value === "envoy" || value === "embedded"
      ? undefined
      : `is ${quoted(value)}; expected "envoy" or "embedded"`,
  );
}
