import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt } from "./attack-attempt.ts";
import { attackFinding, makeAttempts } from "./attack-row.ts";

const attempt = (what: string, proof?: RegExp): Attempt => ({
  what,
  technique: "say",
  aim: {},
  ...(proof !== undefined && { proof }),
});

test("all stopped: nothing reached", () => {
  const finding = attackFinding([
    { attempt: attempt("a"), outcome: { stopped: "ECONNREFUSED" } },
    { attempt: attempt("b", /well/), outcome: { got: "HTTP/1.1 403 Forbidden" } },
    { attempt: attempt("c"), outcome: { missing: "no nft" } },
  ]);
  assert.deepEqual(finding, {
    verdict: "none of 3",
    because: "nothing reached (2 of 3 failed, 1 not tried)",
    identities: "",
    surprises: [],
  });
});

test("what is reached is a surprise that says what was got, even if that is nothing", () => {
  const { verdict, surprises } = attackFinding([
    { attempt: attempt("a", /well/), outcome: { got: "well" } },
    { attempt: attempt("b"), outcome: { got: "" } },
  ]);
  assert.equal(verdict, "2 of 2");
  assert.deepEqual(surprises, ["a: reached, and got well", "b: reached, and got "]);
});

test("an attempt that was not made, and a row in which none was, are no success", () => {
  const broken = { attempt: attempt("a"), outcome: { error: "the program ended" } };
  assert.deepEqual(attackFinding([broken]).surprises, [
    "a: not made, the program ended",
    "none of the attempts could be made",
  ]);
  const untried = { attempt: attempt("a"), outcome: { missing: "no python3" } };
  assert.equal(attackFinding([untried]).surprises.length, 1);
  assert.equal(attackFinding([]).surprises.length, 1);
});

test("attempts keep their order, whichever ends first", async () => {
  const all = Array.from({ length: 9 }, (_, index) => attempt(String(index)));
  const made = await makeAttempts(all, async ({ what }) => {
    await new Promise((resolve) => setTimeout(resolve, 10 - Number(what)));
    return { got: what };
  });
  assert.deepEqual(
    made.map(({ outcome }) => outcome.got),
    all.map(({ what }) => what),
  );
});
