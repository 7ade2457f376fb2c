/**
 * Whether probes of a pod with a sidecar pass it by, as an annotation of the pod says (INJ-27).
 * Source: https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/
 */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";

/**
 * "on": the application itself is asked, whatever policies say. "off": the pod is called as anybody without an identity
 * calls it, and its sidecar judges.
 */
export type ProbeRewriting = "on" | "off";

const ANNOTATION = "sidecar.istio.io/rewriteAppHTTPProbers";
/** What Go takes for a boolean, and so does Istio. */
const ON: readonly string[] = ["1", "t", "T", "TRUE", "true", "True"];
const OFF: readonly string[] = ["0", "f", "F", "FALSE", "false", "False"];
const EXPOSED =
  "probes meet the pod's sidecar like any caller without an identity: where mutual TLS is STRICT those of HTTP and gRPC fail, elsewhere policies have to let them in, and a TCP probe is answered by the sidecar, whether the application listens or not";

/** Anything else says nothing, as in Istio; the user is told. */
export function probeRewriting(annotations: Fields): ProbeRewriting {
  const written = annotations.text(ANNOTATION);
  if (written === undefined || ON.includes(written)) return "on";
  if (OFF.includes(written)) {
    annotations.notice(ANNOTATION, EXPOSED);
    return "off";
  }
  annotations.notice(
    ANNOTATION,
    `is ${quoted(written)}, which is neither "true" nor "false" and says nothing: probes pass by the sidecar`,
  );
  return "on";
}
