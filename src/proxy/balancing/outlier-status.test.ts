import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldFields } from "../http/held-fields.ts";
import { outlierStatus } from "./outlier-status.ts";

const cases: [request: string, status: number, grpcStatus: string | undefined, as: number][] = [
  ["application/grpc", 200, undefined, 200],
  ["application/grpc", 503, undefined, 503],
  ["application/grpc", 200, "0", 200],
  ["application/grpc", 200, "1", 499],
  ["application/grpc", 200, "4", 504],
  ["application/grpc", 200, "7", 403],
  ["application/grpc", 200, "13", 500],
  ["application/grpc", 200, "14", 503],
  ["application/grpc", 200, "16", 401],
  ["application/grpc", 200, "17", 500],
  ["application/grpc", 200, "-1", 200],
  ["application/grpc", 200, "x", 200],
  ["application/json", 200, "14", 200],
  ["application/grpc+proto", 200, "14", 503],
  ["application/grpc-web", 200, "14", 200],
];
for (const [request, status, grpcStatus, as] of cases) {
  test(`${request}: ${status} with grpc-status ${grpcStatus} counts as ${as}`, () => {
    const fields = HeldFields.borrow();
    if (grpcStatus !== undefined) fields.add("grpc-status", grpcStatus);
    assert.equal(outlierStatus({ status, fields }, { get: () => request }), as);
    fields.release();
  });
}
