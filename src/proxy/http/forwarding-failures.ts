/** How the end of a request that was sent on is told, in its answer and in access logs (OBS-6). */
import type { Abort } from "./received-message.ts";

export interface Failure {
  readonly headers?: readonly string[];
  readonly flags: string;
  readonly details: string;
}

/** How an upstream's end is told (OBS-6), as Envoy's `upstream_reset_before_response_started{...}`. */
export const RESETS: Readonly<
  Record<Abort["cause"], { flags: string; reason: string; status: number }>
> = {
  closed: { flags: "UC", reason: "connection_termination", status: 503 },
  reset: { flags: "UR", reason: "remote_reset", status: 503 },
  malformed: { flags: "UPE", reason: "protocol_error", status: 502 },
  timeout: { flags: "UT", reason: "response_timeout", status: 504 },
};
export const PASSED_ON: Failure = { flags: "-", details: "via_upstream" };
export const CONNECTION_FAILURE: Failure = {
  flags: "UF",
  details: "upstream_reset_before_response_started{connection_failure}",
};
export const NO_ENDPOINT: Failure = { flags: "UH", details: "no_healthy_upstream" };
export const OVERFLOW: Failure = {
  flags: "UO",
  details: "upstream_reset_before_response_started{overflow}",
  headers: ["x-envoy-overloaded", "true"],
};
export const NO_ROOM: string = "too much is held for peers that do not read\n";
export const UNSENDABLE: Failure = { flags: "-", details: "request_not_sendable" };
export const NOT_SAYABLE: string =
  "the request cannot be said in the version of HTTP that the service speaks\n";
export const TOO_MANY: string = "too many requests to the service are under way\n";
/** As Envoy's overload manager resets the streams that hold most. */
export const OVERLOADED: Failure = { flags: "OM", details: "overload" };
export const TIMED_OUT: Failure = { flags: "UT", details: "response_timeout" };
export const TOO_LATE: string = "the service did not answer in time\n";
export const UNCHANGEABLE: Failure = { flags: "-", details: "answer_not_changeable" };
export const CLIENT_LEFT: Failure = { flags: "DC", details: "downstream_remote_disconnect" };
export const IDLE: Failure = { flags: "SI", details: "stream_idle_timeout" };
export const LOST: string = "no connection to the service, or it was lost before an answer\n";
export const MALFORMED_ANSWER: string = "the service's answer is malformed\n";
