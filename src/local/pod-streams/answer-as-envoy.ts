/** Port 15000 of a pod, as Istio's own programs know it: Envoy's administration, in Envoy's words. */
import type { AdminQuestion } from "./exec/sidecar-command.ts";

export interface EnvoysAnswer {
  readonly contentType: "application/json" | "text/plain";
  readonly body: string;
}

/** Puts a question to the sidecar's own administration. @throws NoSidecarAnswerError */
export type AskAdministration = (question: AdminQuestion) => Promise<string>;

/**
 * Answers what an Envoy would answer otherwise than our administration does.
 *
 * @returns undefined for what the sidecar itself answers; rejects with NoSidecarAnswerError
 */
export type AnswerAsEnvoy = (
  question: AdminQuestion,
  ask: AskAdministration,
) => Promise<EnvoysAnswer> | undefined;
