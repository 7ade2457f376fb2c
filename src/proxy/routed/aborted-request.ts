/**
 * The share of a route's requests that its `fault` answers instead of its destination. Some close a path by it, so it is no
 * mere exercise. Source: `source/extensions/filters/http/fault/fault_filter.cc` of envoyproxy/envoy
 */
import type { FaultInjection } from "../../api/routing/route-parts.ts";
import type { Answer } from "../exchange.ts";

const MILLION = 1_000_000;

/** By name: `grpc-status`, and what one is told who does not speak gRPC (`Utility::grpcToHttpStatus`). */
const GRPC: Readonly<Record<string, readonly [grpcStatus: number, status: number]>> = {
  OK: [0, 200],
  CANCELLED: [1, 499],
  UNKNOWN: [2, 500],
  INVALID_ARGUMENT: [3, 400],
  DEADLINE_EXCEEDED: [4, 504],
  NOT_FOUND: [5, 404],
  ALREADY_EXISTS: [6, 409],
  PERMISSION_DENIED: [7, 403],
  RESOURCE_EXHAUSTED: [8, 429],
  FAILED_PRECONDITION: [9, 400],
  ABORTED: [10, 409],
  OUT_OF_RANGE: [11, 400],
  UNIMPLEMENTED: [12, 501],
  INTERNAL: [13, 500],
  UNAVAILABLE: [14, 503],
  DATA_LOSS: [15, 500],
  UNAUTHENTICATED: [16, 401],
};
const UNKNOWN = [2, 500] as const;

/**
 * @param chance from 0, below 1
 * @returns undefined: the route is followed
 */
export function abortedRequest(
  { abort }: FaultInjection = {},
  chance: () => number,
): Answer | undefined {
  if (abort === undefined || chance() * MILLION >= abort.millionths) return undefined;
  const { answer } = abort;
  const base = { body: "fault filter abort", flags: "FI", details: "fault_filter_abort" };
  if ("httpStatus" in answer) return { ...base, status: answer.httpStatus };
  const [grpcStatus, status] = GRPC[answer.grpcStatus] ?? UNKNOWN;
  return { ...base, status, grpcStatus };
}
