/**
 * What outlier detection goes by of an answer's head: its status or, of gRPC, the one that its `grpc-status` stands for. A
 * status that comes with the trailers is not waited for, as in Envoy.
 * Source: `Utility::grpcToHttpStatus` in `source/common/grpc/status.cc` of envoyproxy/envoy
 */
import { FieldLookup } from "../../http/field-lookup.ts";
import type { FieldRanges } from "../../http/field-ranges.ts";

export const GRPC_STATUS: FieldLookup = new FieldLookup("grpc-status");
/** Of requests and answers of gRPC; `application/grpc-web` is something else. */
export const GRPC_CONTENT_TYPE: RegExp = /^application\/grpc(?:$|[+;])/i;

/** By `grpc-status`: OK, CANCELLED, UNKNOWN, ... UNAUTHENTICATED. */
const HTTP_STATUSES: readonly number[] = [
  200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];
/** Of a number that gRPC does not know. */
const UNKNOWN = 500;

export interface RequestFields {
  get(name: string): string | undefined;
}

export interface AnswerHead {
  readonly status: number;
  readonly fields: FieldRanges;
}

/** @param request the fields of the request, of gRPC or not */
export function outlierStatus({ status, fields }: AnswerHead, request: RequestFields): number {
  const written = GRPC_STATUS.joinedValue(fields);
  if (written === undefined || !/^\d{1,9}$/.test(written)) return status;
  if (!GRPC_CONTENT_TYPE.test(request.get("content-type") ?? "")) return status;
  return HTTP_STATUSES[Number(written)] ?? UNKNOWN;
}
