import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer } from "./exchange.ts";
import { answerInKind } from "./grpc-answer.ts";
import { HeldFields } from "./http/held-fields.ts";

function answered(
  contentType: string | undefined,
  answer: { readonly status: number; readonly body?: string; readonly headers?: readonly string[] },
  method = "POST",
): Answer {
  const headers = HeldFields.borrow();
  if (contentType !== undefined) headers.add("content-type", contentType);
  const whole = { body: "", flags: "-", details: "why", ...answer };
  const result = answerInKind(whole, { method, headers });
  headers.release();
  return result;
}

const cases: [status: number, grpcStatus: string][] = [
  [400, "13"],
  [401, "16"],
  [403, "7"],
  [404, "12"],
  [413, "2"],
  [429, "14"],
  [500, "2"],
  [502, "14"],
  [503, "14"],
  [504, "14"],
];
for (const [status, grpcStatus] of cases) {
  test(`AP-130: ${status} is grpc-status ${grpcStatus} to who speaks gRPC`, () => {
    const body = "RBAC: access denied";
    assert.deepEqual(answered("application/grpc+proto", { status, body }), {
      status: 200,
      body: "",
      headers: [
        ...["content-type", "application/grpc", "grpc-status", grpcStatus],
        ...["grpc-message", body],
      ],
      flags: "-",
      details: "why",
    });
  });
}

for (const contentType of [undefined, "application/json", "application/grpc-web", "text/grpc"]) {
  test(`an answer stays as it is to ${contentType}`, () => {
    const { status, body, headers } = answered(contentType, { status: 403, body: "no\n" });
    assert.deepEqual([status, body, headers], [403, "no\n", undefined]);
  });
}

test("a message is percent-encoded UTF-8 without its line end, and fields go along", () => {
  const { headers } = answered("application/grpc", {
    status: 403,
    body: "100% ü\r\n~\n",
    headers: ["x-a", "1"],
  });
  assert.deepEqual(headers?.slice(0, 2), ["x-a", "1"]);
  assert.equal(headers?.at(-1), "100%25 %C3%BC%0D%0A%7E");
});

test("without words there is no message, and none to a HEAD", () => {
  for (const { headers } of [
    answered("application/grpc", { status: 403 }),
    answered("application/grpc", { status: 403, body: "no" }, "HEAD"),
  ]) {
    assert.equal(headers?.includes("grpc-message"), false);
  }
});
