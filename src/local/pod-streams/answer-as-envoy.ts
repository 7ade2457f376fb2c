/** Port 15000 of a pod, as Istio's own programs know it: Envoy's administration, in Envoy's words. */
import type { AdminQuestion } from "./exec/sidecar-command.ts";

/**
 * Answers what an Envoy would answer otherwise than our administration does.
 *
 * @param ask puts a GET to the sidecar's own administration; it rejects with NoSidecarAnswerError
 * @returns the answer as JSON; undefined for what the sidecar itself answers
 */
export type AnswerAsEnvoy = (
  question: AdminQuestion,
  ask: (path: string) => Promise<string>,
) => Promise<string> | undefined;
