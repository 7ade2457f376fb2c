/** Answers of our own as HTTP/1 bytes, kept by what they say: most are given again and again. */
import { LocalAnswer } from "../../http/http1/local-answer.ts";
import type { Answer } from "../exchange.ts";

const MAX_KEPT = 1_000;
/** What is longer was hardly made of a policy's words alone. */
const MAX_KEPT_BODY = 1_024;
const kept: Map<string, LocalAnswer>[] = [];
let count = 0;
/** In place of one that could not be sent as it is. */
const UNSENDABLE = new LocalAnswer({ status: 500, body: "" });

/** Of statuses that a body may come with. What cannot be sent as it is becomes a 500 without a word. */
export function localAnswer({ status, body, headers }: Answer): LocalAnswer {
  if (headers !== undefined && headers.length > 0) return made({ status, body, headers });
  const known = kept[status]?.get(body);
  if (known !== undefined) return known;
  const answer = made({ status, body });
  if (body.length <= MAX_KEPT_BODY && answer !== UNSENDABLE) keep(body, answer);
  return answer;
}

function keep(body: string, answer: LocalAnswer): void {
  if (count >= MAX_KEPT) {
    kept.length = 0;
    count = 0;
  }
  count++;
  kept[answer.status] ??= new Map();
  kept[answer.status]?.set(body, answer);
}

function made({
  status,
  body,
  headers = [],
}: Pick<Answer, "status" | "body" | "headers">): LocalAnswer {
  try {
    return new LocalAnswer({ status, body, fields: headers });
  } catch (error) {
    if (error instanceof RangeError) return UNSENDABLE;
    throw error;
  }
}
