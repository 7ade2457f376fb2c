import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultInjection } from "../../api/routing/route-parts.ts";
import { routeSentence } from "./route-sentence.ts";

const sentence = (abort: FaultInjection["abort"]): string =>
  routeSentence({
    origin: {
      ref: { kind: "VirtualService", namespace: "shop", name: "web" },
      source: { file: "web.yaml", line: 1 },
    },
    match: { path: { kind: "prefix", path: "/admin" } },
    action: { do: "respond", status: 200 },
    ...(abort && { fault: { abort } }),
  });

test("what a fault answers is no way that requests go", () => {
  assert.equal(sentence(undefined), "/admin* is answered with 200");
  assert.equal(
    sentence({ millionths: 1_000_000, answer: { httpStatus: 403 } }),
    "/admin* is answered with 403, by its fault",
  );
  assert.equal(
    sentence({ millionths: 125_000, answer: { grpcStatus: "UNAVAILABLE" } }),
    "/admin* is answered with 200, but 12.5 % of it is answered with UNAVAILABLE, by its fault",
  );
});
