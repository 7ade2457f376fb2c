/** A refusal as the Kubernetes API tells it: a `Status` object with a code of HTTP and a reason. */
import { HauberkError } from "../../../runtime/hauberk-error.ts";

/** Source: meta/v1 StatusReason, as far as this server gives them. */
export type StatusReason =
  | "AlreadyExists"
  | "BadRequest"
  | "Conflict"
  | "Expired"
  | "Forbidden"
  | "Invalid"
  | "MethodNotAllowed"
  | "NotAcceptable"
  | "NotFound"
  | "RequestEntityTooLarge"
  | "ServiceUnavailable"
  | "Timeout"
  | "TooManyRequests"
  | "Unauthorized"
  | "UnsupportedMediaType"
  | "InternalError";

export interface StatusCause {
  /** Such as "FieldValueInvalid" or "FieldManagerConflict". */
  readonly reason: string;
  readonly message: string;
  /** Path such as `spec.replicas` or `.spec.replicas`, as Kubernetes writes it for that reason. */
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** Plural or kind, as Kubernetes writes it for that reason. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** A request to the Kubernetes API cannot be served; the message is what kubectl prints. */
/** A request of the Kubernetes API is refused; its status and reason are those of Kubernetes. */
export class StatusError extends HauberkError {
  readonly code = "HAUBERK_KUBERNETES_STATUS";
  /** Of HTTP. */
  readonly status: number;
  readonly reason: StatusReason;
  readonly details: StatusDetails | undefined;

  constructor(
    status: number,
    reason: StatusReason,
    { message, details }: { readonly message: string; readonly details?: StatusDetails },
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.details = details;
  }
}
