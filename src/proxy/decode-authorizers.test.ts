import assert from "node:assert/strict";
import { test } from "node:test";
import { grpc, http } from "../../test/kit/authorizer-stage.ts";
import type { AppliedAuthorizer } from "../policy/applied-authorizers.ts";
import { appliedAuthorizer } from "./decode-authorizers.ts";

const requestBody = { maxBytes: 10, allowPartial: true, packAsBytes: false };
const all: AppliedAuthorizer[] = [
  grpc("opa", { requestBody }),
  http("check", { requestBody, additionalHeaders: { "x-a": "1" }, requestHeaders: ["x-*"] }),
  { name: "gone", kind: "unusable", problem: "it is gone" },
];
for (const authorizer of all) {
  test(`an authorizer that is ${authorizer.kind} comes as it went`, () => {
    const text: unknown = JSON.parse(JSON.stringify(authorizer));
    assert.deepEqual(appliedAuthorizer(text, "view"), authorizer);
  });

  test(`one that is ${authorizer.kind} with a field too much, or too few, is refused`, () => {
    const [first = ""] = Object.keys(authorizer);
    assert.throws(
      () => appliedAuthorizer({ ...authorizer, more: 1 }, "view"),
      /view\.more is not a known field/,
    );
    const { [first as keyof AppliedAuthorizer]: _, ...less } = authorizer;
    assert.throws(() => appliedAuthorizer(less, "view"));
  });
}

test("nobody is asked in a way that is not known", () => {
  assert.throws(() => appliedAuthorizer({ name: "x", kind: "carrier pigeon" }, "view"));
});
