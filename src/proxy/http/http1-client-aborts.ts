/** Why an exchange with a callee that speaks HTTP/1 ends too early. */
import type { Http1Problem } from "../../http/http1/problem.ts";
import type { Abort } from "./received-message.ts";

/** Heads of status 1xx before an answer, as of HTTP/2. */
export const MOST_INTERIM = 16;

interface OwnAborts {
  readonly closed: Abort;
  readonly tooManyInterim: Abort;
  /** A body other than announced is no fault of the callee, and cannot come from our codecs: nothing may be built on it. */
  readonly wrongLength: Abort;
}

/** What the connection finds by itself. */
export const ABORT: OwnAborts = {
  closed: { cause: "closed", details: "the callee closed the connection" },
  tooManyInterim: {
    cause: "malformed",
    details: "http1.too_many_interim_answers",
    status: 502,
  },
  wrongLength: {
    cause: "malformed",
    details: "http1.body_other_than_announced",
    status: 502,
  },
};

/** What its codec finds. */
export function malformed({ code }: Http1Problem): Abort {
  return { cause: "malformed", details: code, status: 502 };
}
