/** How a client sees that its request is refused: the answer of the callee's sidecar, by its status and its words. */
import { statusOf, TOKEN_PROBLEMS, type TokenProblem } from "../jwt/token-status.ts";
import type { Reason } from "../policy/decision.ts";
import type { Judgement } from "../policy/judge.ts";
import type { AskedRequest } from "../policy/question.ts";
import { DENIED_BODY } from "../proxy/denied-answer.ts";
import { grpcStatusOf } from "../proxy/grpc-answer.ts";
import { rateLimitDetails } from "../telemetry/response-details.ts";
import { isSpent, type LimitsLeft } from "./limits-left.ts";

export interface ClientAnswer {
  /** Of HTTP; who speaks gRPC gets 200, and `grpcStatus`. */
  readonly status: number;
  readonly grpcStatus?: number;
  readonly body: string;
}

/** @returns undefined where the request is let in, or the connection does not carry HTTP or comes to nothing before */
export function clientAnswer(
  { decision: { verdict, reason }, judgedAs }: Pick<Judgement, "decision" | "judgedAs">,
  asked: AskedRequest | undefined,
): ClientAnswer | undefined {
  if (asked === undefined || judgedAs !== "http" || verdict !== "deny") return undefined;
  const answer = answerTo(reason);
  return answer && inKind(answer, asked);
}

/** What is let in, and yet refused at the moment: a limit that is in force has no room. */
export function limitedAnswer(
  { limits = [], decision: { verdict } }: Pick<Judgement, "limits" | "decision">,
  left: LimitsLeft,
  asked: AskedRequest | undefined,
): ClientAnswer | undefined {
  if (asked === undefined || verdict !== "allow") return undefined;
  const full = limits.find(({ limit: { mode, counts } }, index) => {
    const found = left[index];
    return isSpent(found) && mode === "Enforce" && counts === "requests";
  });
  if (full === undefined) return undefined;
  const { scope } = full.limit;
  return inKind(
    { status: 429, grpcStatus: RESOURCE_EXHAUSTED, body: rateLimitDetails({ scope }) },
    asked,
  );
}

const RESOURCE_EXHAUSTED = 8;

/** `401 Jwt is expired`, `grpc-status 7 RBAC: access denied` */
export function answerInWords({ status, grpcStatus, body }: ClientAnswer): string {
  return `${grpcStatus === undefined ? status : `grpc-status ${grpcStatus}`} ${body}`;
}

function answerTo(reason: Reason): ClientAnswer | undefined {
  switch (reason.because) {
    case "matched-deny":
    case "no-allow-matched":
    case "no-authorizer":
      return { status: 403, body: DENIED_BODY };
    case "token-refused":
      return { status: statusOfWords(reason.problem), body: reason.problem };
    default:
      return undefined;
  }
}

function statusOfWords(words: string): number {
  const problems = Object.keys(TOKEN_PROBLEMS) as TokenProblem[];
  return statusOf(problems.find((problem) => TOKEN_PROBLEMS[problem] === words) ?? "missing");
}

function inKind(
  { grpcStatus: own, ...answer }: ClientAnswer,
  { headers }: AskedRequest,
): ClientAnswer {
  const grpcStatus = grpcStatusOf(
    { status: answer.status, ...(own !== undefined && { grpcStatus: own }) },
    headers,
  );
  return grpcStatus === undefined ? answer : { status: 200, grpcStatus, body: answer.body };
}
