/** What comes of a case's request, as its sender and upstream's checks would see it. */
import type { Decision, Judged, Reason } from "../../../src/policy/decision.ts";
import { type Judgement, judge } from "../../../src/policy/judge.ts";
import { BadRequestError, type Question } from "../../../src/policy/question.ts";
import { authorizerAllows } from "./authorizer.ts";
import type { CarriedToken } from "./carried-tokens.ts";
import type { E2eCase } from "./e2e-case.ts";
import { type CaseMesh, hopsOf } from "./hops-of-case.ts";

export type Answer = JudgedAnswer | CarriedToken;

/** By judging what each proxy on the way would say. */
export type JudgedAnswer =
  /** Every proxy on the way let it through. */
  | {
      readonly came: "through";
      readonly last: Judgement;
      readonly hops: number;
      /** Kind of key in the callee's certificate, where it was looked at. */
      readonly serverKey?: string;
    }
  | { readonly came: "refused"; readonly reason: Reason; readonly judgement: Judgement }
  | { readonly came: "bad request" };

/** Of a case without tokens that any proxy looks for. */
export function answerOf(test: E2eCase, mesh: CaseMesh): JudgedAnswer {
  const hops = hopsOf(test, mesh);
  let last: Judgement | undefined;
  for (const hop of hops) {
    const judgement = judged(hop, mesh);
    if (judgement === undefined) return { came: "bad request" };
    const settled = settle(judgement.decision, { test, hop, judgement });
    if (settled.verdict === "deny") return { came: "refused", reason: settled.reason, judgement };
    last = judgement;
  }
  if (last === undefined) throw new Error("no proxy was asked");
  return { came: "through", last, hops: hops.length };
}

function judged(question: Question, { snapshot }: CaseMesh): Judgement | undefined {
  try {
    return judge(snapshot, question);
  } catch (error) {
    if (error instanceof BadRequestError) return undefined;
    throw error;
  }
}

/** Asks the authorizers in their order; what the policies here say comes after them (AP-1, AP-126). */
function settle(
  decision: Decision,
  {
    test,
    hop,
    judgement,
  }: { readonly test: E2eCase; readonly hop: Question; readonly judgement: Judgement },
): Judged {
  const { verdict, reason } = decision;
  if (verdict !== "delegate" || reason.because !== "matched-custom") return { verdict, reason };
  const allows = reason.delegations.every(() => authorizerAllows(test, { hop, judgement }));
  return allows ? reason.afterwards : { verdict: "deny", reason };
}
