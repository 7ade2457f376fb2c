/** The external authorizer of upstream's frame: what it answers does not depend on which provider it is asked as. */
import type { Judgement } from "../../../src/policy/judge.ts";
import type { Question } from "../../../src/policy/question.ts";
import type { E2eCase } from "./e2e-case.ts";
import { NotUnderstood } from "./not-understood.ts";

/** Upstream's words for the only one that there is. */
const KNOWN =
  /^allows a request when header x-ext-authz: allow is present; for TCP allows when the source principal ends in "\/sa\/a"/;

/** @throws NotUnderstood when the case describes another */
export function authorizerAllows(
  { setup }: E2eCase,
  { hop, judgement }: { readonly hop: Question; readonly judgement: Judgement },
): boolean {
  if (!KNOWN.test(setup?.authorizer ?? "")) throw new NotUnderstood("setup.authorizer");
  if (judgement.judgedAs === "http") return hop.request?.headers.get("x-ext-authz") === "allow";
  const { transport } = judgement;
  return transport.kind === "mutual-tls" && transport.caller.endsWith("/sa/a");
}
