/** The head of an answer in HTTP/2. */
import type { ReceivedHead } from "../../http/http2/received-head.ts";
import { Http2Fields } from "./http2-fields.ts";
import type { HttpProtocol, ReceivedAnswer, ReceivedFields } from "./received-message.ts";

class Http2Answer implements ReceivedAnswer {
  readonly protocol: HttpProtocol = "HTTP/2";
  status = 0;
  contentLength = -1;
  isSwitch = false;
  readonly fields: Http2Fields = new Http2Fields();
}

// One of each for all connections: what has come is only looked at while it is told.
const ANSWER: Http2Answer = new Http2Answer();
const TRAILERS: Http2Fields = new Http2Fields();

/** @returns what `head` says, valid until the next is shown. @param method of the request */
export function showHttp2Answer(head: ReceivedHead, method: string): ReceivedAnswer {
  ANSWER.status = head.status;
  ANSWER.contentLength = head.contentLength;
  ANSWER.isSwitch = method === "CONNECT" && head.status >= 200 && head.status < 300;
  ANSWER.fields.show(head);
  return ANSWER;
}

/** @returns them, valid until the next are shown */
export function showHttp2Trailers(trailers: ReceivedHead): ReceivedFields {
  TRAILERS.show(trailers);
  return TRAILERS;
}
