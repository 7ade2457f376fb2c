/** What comes of a case's request, as its sender and upstream's checks would see it. */
import type { Reason } from "../../../src/policy/decision.ts";
import { type Judgement, judge } from "../../../src/policy/judge.ts";
import { BadRequestError, type Question } from "../../../src/policy/question.ts";
import type { NoConnection } from "./carried-by-gateway.ts";
import type { CarriedRequest } from "./carried-requests.ts";
import type { E2eCase } from "./e2e-case.ts";
import { type CaseMesh, hopsOf } from "./hops-of-case.ts";

export type Answer = JudgedAnswer | CarriedRequest | NoConnection;

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

/** Of a case in which no proxy looks for tokens, or asks anybody. */
export function answerOf(test: E2eCase, mesh: CaseMesh): JudgedAnswer {
  const hops = hopsOf(test, mesh);
  let last: Judgement | undefined;
  for (const hop of hops) {
    const judgement = judged(hop, mesh);
    if (judgement === undefined) return { came: "bad request" };
    const { verdict, reason } = judgement.decision;
    if (verdict === "delegate") throw new Error("an authorizer has to be asked");
    if (verdict === "deny") return { came: "refused", reason, judgement };
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
