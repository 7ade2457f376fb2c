/** A request's head as HTTP/1 has it. */
import type { UPGRADE } from "../../http/http1/connection-options.ts";
import { FRAMING } from "../../http/http1/framing.ts";
import { type EXPECTATION, type RequestHead, TARGET_FORM } from "../../http/http1/request-head.ts";
import { Http1Fields } from "./http1-fields.ts";
import type { HttpProtocol, ReceivedRequest } from "./received-message.ts";

const FORMS = ["origin", "absolute", "authority", "asterisk"] as const satisfies Record<
  (typeof TARGET_FORM)[keyof typeof TARGET_FORM],
  ReceivedRequest["form"]
>;
const EXPECTATIONS = ["none", "continue", "other"] as const satisfies Record<
  (typeof EXPECTATION)[keyof typeof EXPECTATION],
  ReceivedRequest["expectation"]
>;
const UPGRADES = ["none", "websocket", "other"] as const satisfies Record<
  (typeof UPGRADE)[keyof typeof UPGRADE],
  ReceivedRequest["upgrade"]
>;

/** One serves all connections: it shows the head that it was given last, as long as its bytes stay as they are. */
export class Http1Request implements ReceivedRequest {
  protocol: HttpProtocol = "HTTP/1.1";
  method = "";
  form: ReceivedRequest["form"] = "origin";
  scheme = "";
  path = "";
  authority: string | undefined;
  readonly fields: Http1Fields = new Http1Fields();
  contentLength = -1;
  expectation: ReceivedRequest["expectation"] = "none";
  upgrade: ReceivedRequest["upgrade"] = "none";

  show(head: RequestHead): void {
    this.protocol = head.minorVersion === 1 ? "HTTP/1.1" : "HTTP/1.0";
    this.method = head.methodText();
    this.form = FORMS[head.form] ?? "origin";
    this.scheme = head.form === TARGET_FORM.absolute ? schemeOf(head) : "";
    this.path = head.pathText();
    this.authority = head.hasAuthority ? head.authorityText() : undefined;
    this.contentLength = head.contentLength;
    this.expectation = EXPECTATIONS[head.expectation] ?? "other";
    this.upgrade = UPGRADES[head.upgrade] ?? "other";
    // Where its body ends and the other protocol begins, not all would agree.
    if (this.upgrade === "websocket" && head.framing !== FRAMING.none) this.upgrade = "other";
    this.fields.show(head);
  }
}

/** What stands before `://` is one of two words, in any letter case. */
function schemeOf({ authorityStart, targetStart }: RequestHead): string {
  return authorityStart - targetStart === "https://".length ? "https" : "http";
}
