import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { systemClock } from "../runtime/clock.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { ServingIdentity } from "./serving-identity.ts";

const TWO_LOOKS_MS = 2_100;
const first = createThrowawayAuthority();
const second = createThrowawayAuthority();

function trustOf(...rootsPem: string[]): AuthorityTrust {
  return { rootsPem, taintedAuthorities: [], crlsPem: [] };
}

function serve(clock = systemClock) {
  const issuer = new WatchedValue<CertificateAuthority>(first.authority);
  const trust = new WatchedValue(trustOf(first.rootPem));
  const log = recordedLog();
  const serving = new ServingIdentity({ issuer, trust, address: "127.0.0.1", clock, log });
  const leaf = (): X509Certificate =>
    new X509Certificate(serving.identity.current.certificateChainPem);
  return { issuer, trust, log, serving, leaf };
}

test("CA-21: another issuer signs the control plane's own certificate at once, for another key", () => {
  const { issuer, trust, serving, leaf } = serve();
  const before = leaf();
  assert.ok(before.verify(first.authority.certificate.publicKey));
  trust.set(trustOf(first.rootPem, second.rootPem));
  assert.equal(leaf().serialNumber, before.serialNumber);
  assert.deepEqual(serving.identity.current.clientRootsPem, [first.rootPem, second.rootPem]);
  issuer.set(second.authority);
  assert.ok(leaf().verify(second.authority.certificate.publicKey));
  assert.ok(!leaf().publicKey.equals(before.publicKey));
  assert.ok(leaf().checkIP("127.0.0.1"));
  serving.close();
});

test("it is renewed at half of its life, also after a clock that jumped", async () => {
  let now = new Date();
  const { serving, leaf } = serve({ now: () => now });
  const { serialNumber, validTo } = leaf();
  const half = (Date.parse(validTo) + now.getTime()) / 2;
  now = new Date(half - 60_000);
  await delay(TWO_LOOKS_MS);
  assert.equal(leaf().serialNumber, serialNumber);
  now = new Date(half);
  await eventually("another certificate", () => leaf().serialNumber !== serialNumber);
  serving.close();
});

test("an authority that cannot sign leaves the certificate as it was, and is not asked on and on", async () => {
  let now = new Date();
  const { serving, leaf, log } = serve({ now: () => now });
  const { serialNumber } = leaf();
  now = new Date(now.getTime() + 11 * 365 * 24 * 3_600_000);
  const problems = () => log.find("the control plane's own certificate was not renewed");
  await eventually("the problem in the log", () => problems().length > 0);
  await delay(TWO_LOOKS_MS);
  assert.equal(leaf().serialNumber, serialNumber);
  assert.equal(problems().length, 1);
  serving.close();
});
