/** 500 requests that nobody may get a certificate for: each is refused with a code and its reason, and leaves nothing behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Dice } from "../../test/kit/dice.ts";
import { HOSTILE_KINDS } from "../../test/kit/hostile-requests/hostile-requests.ts";
import { requestPem } from "../../test/kit/request-parts.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import {
  InvalidCertificateRequestError,
  parseCertificateRequest,
  parseCertificateRequestOffLoop,
} from "./certificate-request.ts";

const CASES = 500;
const SEED = 20_261_122;
const ROUNDS = 5;
const MAX_GROWTH_BYTES = 2 * 1024 * 1024;

interface HostileCase {
  readonly what: string;
  readonly pem: string;
  readonly reason: RegExp;
}

const cases: HostileCase[] = [];
for (let dice = new Dice(SEED); cases.length < CASES; ) {
  for (const [what, make, reason] of HOSTILE_KINDS) cases.push({ what, pem: make(dice), reason });
}

test("what the cases are made from is a good request", () => {
  assert.equal(parseCertificateRequest(requestPem()).keyType, "P-256");
});

for (const [what] of HOSTILE_KINDS) {
  test(`QK-32, QK-33: ${what} is refused`, () => {
    for (const { pem, reason } of cases.filter((each) => each.what === what)) {
      assert.throws(
        () => parseCertificateRequest(pem),
        (error) => isRefusal(error, reason),
        pem,
      );
    }
  });
}

test("QK-32, QK-33: all are refused off the event loop too, and memory stays flat", async () => {
  await refuseAll();
  const before = await usedMemory();
  for (let round = 0; round < ROUNDS; round++) await refuseAll();
  const growth = (await usedMemory()) - before;
  assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more after ${ROUNDS * cases.length}`);
});

async function refuseAll(): Promise<void> {
  for (const { pem, reason } of cases) {
    const refusal = await parseCertificateRequestOffLoop(pem).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(isRefusal(refusal, reason), pem);
  }
}

function isRefusal(error: unknown, reason: RegExp): boolean {
  assert.ok(error instanceof InvalidCertificateRequestError, String(error));
  assert.equal(error.code, "HAUBERK_INVALID_CERTIFICATE_REQUEST");
  assert.match(describeError(error), reason);
  return true;
}

async function usedMemory(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  assert.ok(typeof collect === "function");
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
