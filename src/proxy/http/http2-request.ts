/** A request's head as HTTP/2 has it. */
import { FIELD } from "../../http/field-names.ts";
import { fieldValue, findField } from "../../http/field-ranges.ts";
import type { ReceivedHead } from "../../http/http2/received-head.ts";
import { Http2Fields } from "./http2-fields.ts";
import type { ReceivedRequest } from "./received-message.ts";

/** One serves all connections: it shows the head that it was given last, as long as that is valid. */
export class Http2Request implements ReceivedRequest {
  readonly protocol = "HTTP/2";
  method = "";
  form: ReceivedRequest["form"] = "origin";
  readonly scheme = "";
  path = "";
  authority: string | undefined;
  readonly fields: Http2Fields = new Http2Fields();
  contentLength = -1;
  expectation: ReceivedRequest["expectation"] = "none";
  readonly upgrade = "none";

  show(head: ReceivedHead): void {
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.contentLength = head.contentLength;
    this.form = this.path === "*" ? "asterisk" : "origin";
    if (this.method === "CONNECT") this.form = "authority";
    this.expectation = expectationOf(head);
    this.fields.show(head);
  }
}

function expectationOf(head: ReceivedHead): ReceivedRequest["expectation"] {
  let expectation: ReceivedRequest["expectation"] = "none";
  for (
    let at = findField(head, FIELD.expect);
    at >= 0;
    at = findField(head, FIELD.expect, at + 1)
  ) {
    if (fieldValue(head, at).toLowerCase() !== "100-continue") return "other";
    expectation = "continue";
  }
  return expectation;
}
