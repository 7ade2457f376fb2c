/** gRPC's status codes as our own error, so that no other room needs to know the gRPC library. */
import { status } from "@grpc/grpc-js";
import { HauberkError } from "../runtime/hauberk-error.ts";

export type GrpcStatusName = keyof typeof status;

/** A call that ended with another status than OK: thrown by handlers to answer so, and by clients that got it. */
export class GrpcStatusError extends HauberkError {
  readonly code = "HAUBERK_GRPC_STATUS";
  readonly status: GrpcStatusName;
  constructor(name: GrpcStatusName, details: string, options?: ErrorOptions) {
    super(details, options);
    this.status = name;
  }
}

/** What the gRPC library sends for an error; of errors that are no `GrpcStatusError` nothing is told. */
export function statusOfError(error: unknown): { code: status; details: string } {
  if (error instanceof GrpcStatusError)
    return { code: status[error.status], details: error.message };
  return { code: status.INTERNAL, details: "internal error" };
}

/** The one place that turns what the gRPC library throws into our error. */
export function grpcStatusError(caught: unknown): GrpcStatusError {
  if (caught instanceof GrpcStatusError) return caught;
  const { code, details } = readServiceError(caught);
  return new GrpcStatusError(nameOf(code), details, { cause: caught });
}

function readServiceError(caught: unknown): { code: unknown; details: string } {
  if (!(caught instanceof Error)) return { code: undefined, details: String(caught) };
  const code = "code" in caught ? caught.code : undefined;
  const details = "details" in caught ? caught.details : undefined;
  return { code, details: typeof details === "string" ? details : caught.message };
}

function nameOf(code: unknown): GrpcStatusName {
  const name = typeof code === "number" ? status[code] : undefined;
  return isStatusName(name) ? name : "UNKNOWN";
}

function isStatusName(name: string | undefined): name is GrpcStatusName {
  return name !== undefined && name in status;
}
