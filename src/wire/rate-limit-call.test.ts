/** The messages of the rate limit service as sidecars write and read them, against those generated from Envoy's own description. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  RateLimitResponse_Code as Code,
  RateLimitRequestSchema,
  RateLimitResponseSchema,
  RateLimitService,
  RateLimitResponse_DescriptorStatusSchema as StatusSchema,
  RateLimitResponse_RateLimit_Unit as Unit,
} from "./gen/envoy/service/ratelimit/v3/rls_pb.ts";
import { type RateLimitStatus, SHOULD_RATE_LIMIT } from "./rate-limit-call.ts";

test("the method is the service's", () => {
  const { typeName, method } = RateLimitService;
  assert.equal(SHOULD_RATE_LIMIT.path, `/${typeName}/${method.shouldRateLimit.name}`);
});

test("a question is what Envoy would send", () => {
  const bytes = SHOULD_RATE_LIMIT.write({
    domain: "cluster.local",
    hits: 300,
    descriptors: [
      [
        ["hauberk.limit", "shop/checkout/all"],
        ["hauberk.key", ""],
      ],
      [["hauberk.limit", "größe"]],
    ],
  });
  const { domain, hitsAddend, descriptors } = fromBinary(RateLimitRequestSchema, bytes);
  assert.deepEqual([domain, hitsAddend], ["cluster.local", 300]);
  assert.deepEqual(
    descriptors.map(({ entries }) => entries.map(({ key, value }) => `${key}=${value}`)),
    [["hauberk.limit=shop/checkout/all"], ["hauberk.limit=größe"]],
  );
});

const limit = { name: "shop/checkout/all", requestsPerUnit: 100, unit: Unit.SECOND };
const answers: [
  what: string,
  status: MessageInitShape<typeof StatusSchema>,
  expected: RateLimitStatus,
][] = [
  [
    "some",
    {
      code: Code.OK,
      currentLimit: limit,
      limitRemaining: 70_000,
      quota: { requests: 5, id: "x" },
    },
    { code: "ok", remaining: 70_000, resetMs: 0, given: 5 },
  ],
  [
    "none",
    {
      code: Code.OVER_LIMIT,
      currentLimit: limit,
      durationUntilReset: { seconds: 2n, nanos: 500_000_000 },
    },
    { code: "over", remaining: 0, resetMs: 2_500, given: undefined },
  ],
  [
    "no limit",
    { code: Code.OK },
    { code: "unlimited", remaining: 0, resetMs: 0, given: undefined },
  ],
  [
    "no known code",
    { code: Code.UNKNOWN, currentLimit: limit },
    { code: "over", remaining: 0, resetMs: 0, given: undefined },
  ],
  [
    "a time that has passed",
    { code: Code.OK, currentLimit: limit, durationUntilReset: { seconds: -3n, nanos: 0 } },
    { code: "ok", remaining: 0, resetMs: 0, given: undefined },
  ],
];

const ONE_LEFT = { code: Code.OK, currentLimit: limit, limitRemaining: 1 };

for (const [what, status, expected] of answers) {
  test(`an answer is read as it was written: ${what}`, () => {
    const message = create(RateLimitResponseSchema, {
      overallCode: Code.OK,
      statuses: [create(StatusSchema, status), create(StatusSchema, ONE_LEFT)],
      rawBody: new Uint8Array(200),
      responseHeadersToAdd: [{ key: "x", value: "y" }],
    });
    const read = SHOULD_RATE_LIMIT.read(toBinary(RateLimitResponseSchema, message));
    assert.deepEqual(read, [expected, { code: "ok", remaining: 1, resetMs: 0, given: undefined }]);
  });
}

test("what is cut off, or no message at all, is refused", () => {
  const durationUntilReset = { seconds: 9n, nanos: 9 };
  const status = create(StatusSchema, { ...ONE_LEFT, durationUntilReset });
  const message = create(RateLimitResponseSchema, { statuses: [status] });
  const bytes = toBinary(RateLimitResponseSchema, message);
  for (let length = 1; length < bytes.length; length++)
    assert.throws(() => SHOULD_RATE_LIMIT.read(bytes.subarray(0, length)), `${length} octets`);
  assert.throws(() => SHOULD_RATE_LIMIT.read(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])));
});
