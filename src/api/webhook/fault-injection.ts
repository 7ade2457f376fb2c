/** `fault` of an HTTP route: requests aborted or delayed on purpose. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkDuration } from "./duration.ts";
import { httpStatusProblem } from "./http-status.ts";
import { numberIn, textIn } from "./written-values.ts";

const GRPC_STATUSES = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"],
  ...["ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"],
  ...["ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
  "UNAUTHENTICATED",
];
/** Of a hundred; less than one in a million is taken for a mistake. */
const SMALLEST_PERCENTAGE = 0.0001;

/** An abort without a status is no fault to istiod, which keeps its warning of it to itself. */
export function checkFaultInjection(route: Fields): void {
  if (!route.has("fault")) return;
  const fault = route.section("fault");
  if (!fault.has("abort") && !fault.has("delay")) {
    route.report("fault", "must have abort or delay, or both");
  }
  checkAbort(fault.section("abort"));
  checkDelay(fault.section("delay"));
}

function checkAbort(abort: Fields): void {
  checkPercentage(abort);
  const status = textIn(abort, "grpcStatus");
  if (abort.has("grpcStatus") && !GRPC_STATUSES.includes(status)) {
    abort.report("grpcStatus", `${quoted(status)} is not a status of gRPC, such as NOT_FOUND`);
  }
  if (abort.has("http2Error")) abort.report("http2Error", "is not supported by Istio");
  const problem = httpStatusProblem(numberIn(abort, "httpStatus"));
  if (abort.has("httpStatus") && problem !== undefined) abort.report("httpStatus", problem);
}

function checkDelay(delay: Fields): void {
  checkPercentage(delay);
  checkDuration(delay, "fixedDelay");
  if (delay.has("exponentialDelay")) {
    delay.report("exponentialDelay", "is not supported by Istio");
  }
}

function checkPercentage(fault: Fields): void {
  const percentage = fault.section("percentage");
  const value = numberIn(percentage, "value");
  if (value < 0 || value > 100 || (value > 0 && value < SMALLEST_PERCENTAGE)) {
    percentage.report("value", `is ${value}; expected 0, or ${SMALLEST_PERCENTAGE} to 100`);
  }
}
