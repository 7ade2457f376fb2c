/**
 * What a codec hands over, whichever version it reads: the heads of messages, and why one ends too early. So what is
 * decided about a request, and how it is forwarded, does not depend on the version it came in.
 */
import type { FieldRanges } from "../../http/field-ranges.ts";

/** As policies and logs call it. */
export type HttpProtocol = "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";

/** Whether anything follows in the same direction of the same message. */
export type { Following } from "../../http/http2/stream.ts";

/** Fields as received; valid until the callback that they were given to returns. */
export interface ReceivedFields extends FieldRanges {
  /** One a field: 1 when HTTP/2 must write it as never indexed, whoever passes it on (RFC 7541 section 6.2.3). Absent: none. */
  readonly sensitive?: Uint8Array;
  /** Of HTTP/2, which may cut one into several fields (RFC 9113 section 8.2.3). Absent: each field is what a client has written. */
  readonly cookies?: "cut";
  /** Whether a field may go on: it is neither hop-by-hop nor named by `Connection` (RFC 9110 section 7.6.1). */
  goesOn(index: number): boolean;
}

/** A request's head. There is one for all connections of a version, filled anew for each request. */
export interface ReceivedRequest {
  readonly protocol: HttpProtocol;
  readonly method: string;
  /** "absolute" and "authority" as HTTP/1 has them; HTTP/2 knows "origin", "asterisk" and, of CONNECT, "authority". */
  readonly form: "origin" | "absolute" | "authority" | "asterisk";
  /** Of an absolute target, in lower case; "" of all others: nothing may be decided by what HTTP/2 says of it. */
  readonly scheme: string;
  /** With its query, as latin1; begins with "/", or is "*"; "" of CONNECT. */
  readonly path: string;
  /** Where the request goes (AP-109, QK-6); undefined only in HTTP/1.0. */
  readonly authority: string | undefined;
  readonly fields: ReceivedFields;
  /** Octets of the body; -1 when nothing was said. */
  readonly contentLength: number;
  /** "other" is to be answered with 417, once policy has let the request in (RFC 9110 section 10.1.1). */
  readonly expectation: "none" | "continue" | "other";
  /** Of HTTP/1.1: what the client would like to speak next. What is "other" is never granted. */
  readonly upgrade: "none" | "websocket" | "other";
}

/** The head of an answer. */
export interface ReceivedAnswer {
  readonly protocol: HttpProtocol;
  /** 100 to 599. */
  readonly status: number;
  readonly fields: ReceivedFields;
  /** Octets of the body; -1 when nothing was said. */
  readonly contentLength: number;
  /** The bytes that follow are no HTTP any more, either way: an upgrade, or a tunnel. */
  readonly isSwitch: boolean;
}

/** Why a message ends before it is complete. */
export type Abort =
  /** The connection ended. */
  | { readonly cause: "closed"; readonly details: string }
  /** The stream was reset by the other end; "nothing" when it says that it did nothing about the request. */
  | { readonly cause: "reset"; readonly details: string; readonly done: "nothing" | "unknown" }
  /** It broke the rules: `details` is a stable code, `status` what a request is answered with; null when it cannot be. */
  | { readonly cause: "malformed"; readonly details: string; readonly status: number | null }
  /** It said nothing for too long. */
  | { readonly cause: "timeout"; readonly details: string };
