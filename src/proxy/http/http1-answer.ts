/** The head of an answer in HTTP/1. */
import { UPGRADE } from "../../http/http1/connection-options.ts";
import { FRAMING } from "../../http/http1/framing.ts";
import { PROBLEM } from "../../http/http1/problem.ts";
import { ANSWERS, ResponseHead } from "../../http/http1/response-head.ts";
import type { Trailers } from "../../http/http1/trailers.ts";
import { Http1Fields } from "./http1-fields.ts";
import { Http1HeadReader } from "./http1-head-reader.ts";
import { asksForSwitch } from "./http1-writer.ts";
import type { HttpProtocol, ReceivedAnswer, ReceivedFields } from "./received-message.ts";
import type { OutgoingRequest } from "./streams.ts";

class Http1Answer implements ReceivedAnswer {
  protocol: HttpProtocol = "HTTP/1.1";
  status = 0;
  contentLength = -1;
  isSwitch = false;
  readonly fields: Http1Fields = new Http1Fields();
}

// One of each for all connections: what has come is only looked at while it is told.
const SCANNER: ResponseHead = new ResponseHead();
const ANSWER: Http1Answer = new Http1Answer();
const TRAILERS: Http1Fields = new Http1Fields();

export function openAnswerReader(): Http1HeadReader<ResponseHead> {
  return new Http1HeadReader(SCANNER, () => new ResponseHead());
}

/** @returns what `head` says, valid until the next is shown */
export function showAnswer(head: ResponseHead, behind: "HTTP" | "other bytes"): ReceivedAnswer {
  ANSWER.protocol = head.minorVersion === 1 ? "HTTP/1.1" : "HTTP/1.0";
  ANSWER.status = head.status;
  ANSWER.contentLength = head.contentLength;
  ANSWER.isSwitch = behind === "other bytes";
  ANSWER.fields.show(head);
  return ANSWER;
}

/** @returns them, valid until the next are shown */
export function showTrailers(trailers: Trailers): ReceivedFields {
  TRAILERS.showTrailers(trailers);
  return TRAILERS;
}

/** @returns one of `ANSWERS`: what an answer's end depends on */
export function answersTo(request: OutgoingRequest): number {
  if (request.method === "CONNECT") return ANSWERS.connect;
  if (asksForSwitch(request)) return ANSWERS.upgrade;
  return request.method === "HEAD" ? ANSWERS.head : ANSWERS.plain;
}

/**
 * As `ResponseHead.framing`, where only one upgrade is ever asked for.
 *
 * @param answers one of `ANSWERS`
 */
export function answerFraming(head: ResponseHead, answers: number): number {
  const framing = head.framing(answers);
  const isUpgrade = framing === FRAMING.switched && answers === ANSWERS.upgrade;
  if (!isUpgrade || head.upgrade === UPGRADE.websocket) return framing;
  head.problem = PROBLEM.unexpectedSwitch;
  return -1;
}

/** Whether the callee reads no more of the request (RFC 9112 section 9.5): to go on would end in a reset, answer and all. */
export function refusesRest(head: ResponseHead): boolean {
  return head.status >= 400 && !head.keepsAlive;
}
