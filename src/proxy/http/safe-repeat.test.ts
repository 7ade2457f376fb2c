import assert from "node:assert/strict";
import { test } from "node:test";
import type { Abort } from "./received-message.ts";
import { mayBeSentAgain, type SentRequest } from "./safe-repeat.ts";

const REFUSED: Abort = { cause: "reset", details: "refused_stream", done: "nothing" };
const RESET: Abort = { cause: "reset", details: "cancel", done: "unknown" };
const CLOSED: Abort = { cause: "closed", details: "" };
const GET: SentRequest = { method: "GET", hasBody: false, bodyHasBegun: false, isReused: true };

const cases: [what: string, why: Abort, sent: Partial<SentRequest>, expected: boolean][] = [
  ["a refused one that nothing was done about", REFUSED, { isReused: false }, true],
  [
    "such a one by POST, whose body is here still",
    REFUSED,
    { method: "POST", hasBody: true },
    true,
  ],
  ["such a one of whose body some is gone", REFUSED, { hasBody: true, bodyHasBegun: true }, false],
  ["one that was reset by a callee that may have acted", RESET, {}, false],
  ["a GET on a connection that had stood idle", CLOSED, {}, true],
  ["a PUT without a body there", CLOSED, { method: "PUT" }, true],
  [
    "a POST there: it may have been carried out (RFC 9110 section 9.2.2)",
    CLOSED,
    { method: "POST" },
    false,
  ],
  ["a GET on a new connection", CLOSED, { isReused: false }, false],
  ["one that was not answered in time", { cause: "timeout", details: "" }, {}, false],
  ["a GET with a body", CLOSED, { hasBody: true }, false],
];
for (const [what, why, sent, expected] of cases) {
  test(`${what} is ${expected ? "" : "not "}sent again`, () =>
    assert.equal(mayBeSentAgain(why, { ...GET, ...sent }), expected));
}
