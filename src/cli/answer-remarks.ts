/** What is to be known of an answer beside it: who else decides, and what it takes for granted. Pure. */
import type { Judgement } from "../policy/judge.ts";
import type { Question } from "../policy/question.ts";
import type { LimitsLeft } from "./limits-left.ts";

/** @param token as it was given */
export function remarksOn(
  question: Question,
  {
    judgement,
    left,
    token,
  }: {
    readonly judgement: Judgement;
    readonly left: LimitsLeft;
    readonly token: string | undefined;
  },
): readonly string[] {
  const { verdict, dryRun } = judgement.decision;
  const { token: assumed } = judgement.assumed;
  const isDelegated = [verdict, dryRun?.verdict].includes("delegate");
  const isLimited = left.some((one) => one === undefined);
  return [
    ...(isDelegated ? [ASKED_ELSEWHERE] : []),
    ...(isLimited ? [COUNTED_ELSEWHERE] : []),
    ...(assumed === undefined || token !== undefined ? [] : [TOKENS_ASSUMED[assumed]]),
    ...assumptions(question, judgement),
  ];
}

const ASKED_ELSEWHERE =
  "nobody was asked here: what an authorizer answers to a request is in the callee's log, see hauberk logs";
const TOKENS_ASSUMED = {
  none: "a rule asks for a token, and no token was given: --token FILE or --claims FILE",
  "never seen":
    "a rule asks for a token, and no RequestAuthentication applies to the callee: nobody there looks at tokens",
} as const;
const COUNTED_ELSEWHERE =
  "what is left of a limit is known to those who count: the answer tells it in RateLimit headers, and a refusal in the callee's log";

/** What the answer rests on that the question did not say. */
function assumptions({ request: asked }: Question, judgement: Judgement): string[] {
  const { judgedAs, request, protocol, assumed } = judgement;
  const notes: string[] = [];
  if (asked !== undefined && judgedAs === "tcp") {
    notes.push("the port is carried as TCP: what a rule says about HTTP is not asked there");
  }
  if (protocol === "auto") {
    notes.push(`the port's protocol is not declared: judged as ${judgedAs.toUpperCase()}`);
  }
  if (assumed.authority !== undefined) {
    notes.push(`a rule asks for the host, taken to be ${assumed.authority}; see --host`);
  }
  if (assumed.sourceAddress !== undefined) {
    notes.push(
      `a rule asks for the caller's address, taken to be ${assumed.sourceAddress}; see --address`,
    );
  }
  if (assumed.remoteAddress !== undefined) {
    notes.push(`a rule asks for the remote address: ${assumed.remoteAddress}, by X-Forwarded-For`);
  }
  if (asked !== undefined && request?.path !== undefined && request.path !== asked.path) {
    notes.push(`${asked.path} is judged, and forwarded, as ${request.path}`);
  }
  return notes;
}
