/** What the sidecar asks others for itself, and what comes of it: an authorizer, a rate limit service. */
import { HauberkError } from "../../runtime/hauberk-error.ts";
import type { HeldFields } from "../http/held-fields.ts";
import type { RequestContent } from "../outbound-targets.ts";

/** A service of the view. What is known of the way to it is kept by this object: make one, not one for each call. */
export interface ServicePlace {
  /** As the view's destinations have it: fully qualified. */
  readonly host: string;
  readonly port: number;
  /** Of the service; absent: any. */
  readonly namespace?: string | undefined;
}

export interface OwnRequest {
  readonly method: string;
  /** With its query; begins with "/". */
  readonly path: string;
  readonly authority: string;
  /** Borrowed by the caller; the call releases them. */
  readonly fields: HeldFields;
  /** Absent: none. */
  readonly body?: Buffer | undefined;
  /** What the callee is spoken to in, where nothing else is agreed on. */
  readonly framing: Exclude<RequestContent, "upgrade">;
  /** From now to the answer's last octet, whatever has to be tried for it. */
  readonly timeoutMs: number;
  /** Of the answer's body. */
  readonly maxAnswerOctets: number;
  /** Whether to ask again, once, after a connection that had served before was lost without an answer. */
  readonly repeat: "harmless" | "never";
}

export interface OwnAnswer {
  readonly status: number;
  /** Borrowed: whoever has read them may release them. */
  readonly fields: HeldFields;
  readonly body: Buffer;
  /** Borrowed, too. Undefined: there are none. */
  readonly trailers: HeldFields | undefined;
}

/** A call under way. */
export interface OwnCall {
  /** @throws OwnCallError */
  readonly answer: Promise<OwnAnswer>;
  /** Nobody waits for it any more: `answer` fails with "cancelled". */
  cancel(): void;
}

export type OwnCallProblem =
  /** The view has no such service and port. */
  | "unknown-destination"
  /** No endpoint is ready, or NetworkPolicies keep us from all. */
  | "no-endpoint"
  /** A limit of its DestinationRule is reached, or one of ours: the service was not asked. */
  | "overflow"
  | "connect-failed"
  /** It cannot be said in the version of HTTP that the service speaks. */
  | "unsendable"
  | "timeout"
  | "answer-too-large"
  /** The connection was lost, or what came is no answer. */
  | "broken-off"
  | "cancelled"
  /** gRPC: an answer that is none, or a status other than OK. */
  | "grpc-status";

/** A call that brought no answer. */
export class OwnCallError extends HauberkError {
  readonly code = "HAUBERK_OWN_CALL";
  readonly problem: OwnCallProblem;
  /** Of "grpc-status": what the callee said; absent: nothing that could be read. */
  readonly grpcStatus: number | undefined;
  /** Of HTTP, where the head of the answer had come. */
  readonly status: number | undefined;

  constructor(
    problem: OwnCallProblem,
    details: string,
    { grpcStatus, status }: { readonly grpcStatus?: number; readonly status?: number } = {},
  ) {
    super(details);
    this.problem = problem;
    this.grpcStatus = grpcStatus;
    this.status = status;
  }
}
