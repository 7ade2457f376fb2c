import assert from "node:assert/strict";
import { test } from "node:test";
import { rateProblem } from "./open-loop.ts";
import { errorsIn } from "./wrk-load.ts";

const GOOD = "ERRORS connect=0 read=0 write=0 timeout=0 status=0 body=0 seen=";

test("what wrk saw is no error only where it saw nothing, and said so", () => {
  assert.deepEqual(errorsIn(`Requests/sec: 12\n${GOOD}\n`), []);
  for (const fault of ["connect", "read", "write", "timeout", "status", "body"]) {
    assert.equal(errorsIn(GOOD.replace(`${fault}=0`, `${fault}=1`)).length, 1, fault);
  }
  assert.equal(errorsIn(`${GOOD}503 `).length, 1);
  assert.equal(errorsIn("unable to connect to 127.0.0.1").length, 1, "it told nothing");
});

test("a rate that was not kept is an error, and one that nearly was is none", () => {
  const asked = { ratePerSecond: 1_000, seconds: 2 };
  assert.equal(rateProblem(1_960, asked), undefined);
  assert.equal(rateProblem(1_500, asked), "the rate was not kept: 750/s");
});
