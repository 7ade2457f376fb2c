/** What is told of a certificate that is not issued: little to the caller, the reason to the log, a figure to the metrics. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { CertificateMetrics, SigningFailure } from "../telemetry/certificate-metrics.ts";
import type { Caller } from "../wire/grpc-service.ts";
import { GrpcStatusError, type GrpcStatusName } from "../wire/grpc-status.ts";

/** Whoever asks for too many certificates does so thousands of times: it is told of once a minute, with their number. */
const EXCESS_INTERVAL_MS = 60_000;

/** Reasons of strangers that are told together; later on it is one a second, so that nobody pushes older lines out of the log. */
const STRANGERS_AT_ONCE = 32;

/** Why nothing was issued: what the caller is told, and what is only for the log. */
export class Refusal extends Error {
  readonly status: GrpcStatusName;
  readonly context: RefusalContext;
  constructor(status: GrpcStatusName, context: RefusalContext) {
    super(context.details, { cause: context.cause });
    this.status = status;
    this.context = context;
  }
}

export interface RefusalContext {
  /** For the caller. */
  readonly details: string;
  /** For the log. */
  readonly cause: unknown;
  /** Absent: not known. */
  readonly caller?: SpiffeId;
  readonly failure?: SigningFailure;
}

export class RefusalTeller {
  readonly #log: Log;
  readonly #metrics: CertificateMetrics;
  readonly #excess: BoundedWarning;
  readonly #strangers: BoundedWarning;

  constructor({ log, metrics }: { readonly log: Log; readonly metrics: CertificateMetrics }) {
    this.#log = log;
    this.#metrics = metrics;
    const message = "certificate refused: too many were asked for";
    this.#excess = new BoundedWarning(log, { message, intervalMs: EXCESS_INTERVAL_MS });
    this.#strangers = new BoundedWarning(log, {
      message: "certificate refused: caller not authenticated",
      atOnce: STRANGERS_AT_ONCE,
    });
  }

  /** @returns what the caller is answered */
  tell(refusal: Refusal, { remoteAddress: remote }: Caller): GrpcStatusError {
    const { status, context } = refusal;
    if (status === "RESOURCE_EXHAUSTED")
      this.#excess.warn({ caller: context.caller, remote, reason: describeError(context.cause) });
    else this.#warn(context, remote);
    this.#count(refusal);
    return new GrpcStatusError(status, context.details);
  }

  #warn({ caller, cause }: RefusalContext, remote: string): void {
    const fields = { caller, remote, reason: describeError(cause), code: codeOf(cause) };
    if (caller === undefined) this.#strangers.warn(fields);
    else this.#log.warn("certificate refused", fields);
  }

  #count({ status, context: { failure } }: Refusal): void {
    const metrics = this.#metrics;
    if (status === "UNAUTHENTICATED") metrics.recordUnauthenticated();
    if (status === "PERMISSION_DENIED") metrics.recordForeignIdentity();
    if (failure === "CSR_ERROR") metrics.recordUnreadableRequest();
    if (failure !== undefined) metrics.recordFailure(failure);
  }
}

/** Of the error that is nearest to the fault. */
function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof HauberkError)) return undefined;
  return codeOf(cause.cause) ?? cause.code;
}
