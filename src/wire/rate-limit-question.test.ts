import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  RateLimitDescriptor_EntrySchema,
  RateLimitDescriptor_RateLimitOverrideSchema,
  RateLimitDescriptorSchema,
} from "./gen/envoy/extensions/common/ratelimit/v3/ratelimit_pb.ts";
import { RateLimitRequestSchema } from "./gen/envoy/service/ratelimit/v3/rls_pb.ts";
import { type RateLimitQuestion, SHOULD_RATE_LIMIT } from "./rate-limit-call.ts";
import { readRateLimitQuestion } from "./rate-limit-question.ts";

const QUESTIONS: readonly RateLimitQuestion[] = [
  { domain: "cluster.local", descriptors: [[["hauberk.limit", "shop/api/one"]]], hits: 1 },
  {
    domain: "cluster.local",
    descriptors: [
      [
        ["hauberk.limit", "shop/api/one"],
        ["hauberk.key", "ü€ and more"],
      ],
      [["hauberk.limit", "shop/api/two"]],
    ],
    hits: 300,
  },
  { domain: "", descriptors: [], hits: 1 },
];

for (const question of QUESTIONS) {
  test(`a question of ${question.descriptors.length} descriptors is read as it was written`, () => {
    assert.deepEqual(readRateLimitQuestion(SHOULD_RATE_LIMIT.write(question)), question);
  });
}

test("what else a client says is passed over, and who says no number asks once", () => {
  const entry = create(RateLimitDescriptor_EntrySchema, { key: "a", value: "b" });
  const limit = create(RateLimitDescriptor_RateLimitOverrideSchema, { requestsPerUnit: 5 });
  const descriptor = create(RateLimitDescriptorSchema, { entries: [entry], limit });
  const request = create(RateLimitRequestSchema, { domain: "d", descriptors: [descriptor] });
  const bytes = toBinary(RateLimitRequestSchema, request);
  assert.deepEqual(readRateLimitQuestion(bytes), {
    domain: "d",
    descriptors: [[["a", "b"]]],
    hits: 1,
  });
});

test("what is no question is refused", () => {
  assert.throws(() => readRateLimitQuestion(Uint8Array.of(0x12, 0x05, 0x0a, 0x09, 0x61)));
});
