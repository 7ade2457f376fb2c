import { HauberkError } from "../../../runtime/hauberk-error.ts";

/** What came is no SPDY/3.1, or more of it than is served: the connection ends. */
export class SpdyError extends HauberkError {
  readonly code = "HAUBERK_SPDY";
}
