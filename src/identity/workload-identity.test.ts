import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { systemClock } from "../runtime/clock.ts";
import type { RequestCertificate } from "./certificate-client.ts";
import { WorkloadIdentity } from "./workload-identity.ts";
import type { X509Svid } from "./x509-svid.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const mesh = createThrowawayAuthority();

function start(context: TestContext, request: RequestCertificate) {
  const log = recordedLog();
  const clock = { shiftMs: 0, now: () => new Date(Date.now() + clock.shiftMs) };
  const identity = new WorkloadIdentity({
    request,
    token: "first",
    log,
    clock,
    random: () => 0.5,
  });
  context.after(() => identity.close());
  return { identity, log, clock };
}

function issue(lifetimeMs: number) {
  const svid = mesh.svid(CART, { now: systemClock.now(), lifetimeMs });
  return { svid, rootsPem: [mesh.rootPem] };
}

test("CA-31, CA-32: at half-life a new certificate replaces the old one, and the log names both", async (context) => {
  const { identity, log } = start(context, async () => issue(3_000));
  const seen: (X509Svid | undefined)[] = [];
  identity.svid.onChange((svid) => seen.push(svid));
  await eventually("a renewal", () => seen.length >= 2);
  const [first, second] = seen;
  assert.notEqual(first?.privateKeyPem, second?.privateKeyPem);
  const renewed = log.find("certificate renewed")[0]?.fields;
  assert.equal(log.find("certificate issued")[0]?.fields["serial"], first?.serialNumber);
  assert.equal(renewed?.["previousSerial"], first?.serialNumber);
  assert.equal(renewed?.["serial"], second?.serialNumber);
  assert.equal(renewed?.["notAfter"], second?.notAfter.toISOString());
  const waitedMs = (second?.issuedAt.getTime() ?? 0) - (first?.issuedAt.getTime() ?? 0);
  assert.ok(waitedMs >= 1_000, `${waitedMs} ms`);
  assert.deepEqual(identity.rootsPem.current, [mesh.rootPem]);
});

test("CA-35: while renewal fails the old certificate stays, and the log says how long it lasts", async (context) => {
  let requests = 0;
  const { identity, log } = start(context, async () => {
    requests++;
    if (requests > 1) throw new Error("the control plane is away");
    return issue(4_000);
  });
  const failed = await eventually("a failure", () => log.find("certificate request failed")[0]);
  assert.match(String(failed.fields["error"]), /away/);
  const leftMs = Number(failed.fields["currentCertificateValidForMs"]);
  assert.ok(leftMs > 0 && leftMs < 4_000, `${leftMs} ms`);
  assert.equal(identity.svid.current?.id, CART);
});

test("CA-33: each request uses the token of that moment", async (context) => {
  const tokens: string[] = [];
  const { identity } = start(context, async ({ token }) => {
    tokens.push(token);
    if (tokens.length === 1) throw new Error("expired");
    return issue(60_000);
  });
  identity.setToken("second");
  await eventually("a certificate", () => identity.svid.current);
  assert.deepEqual(tokens, ["first", "second"]);
});

test("a reader that fails does not stop the renewals", async (context) => {
  const { identity, log } = start(context, async () => issue(2_000));
  let changes = 0;
  identity.svid.onChange(() => {
    changes++;
    throw new Error("this reader is broken");
  });
  await eventually("a renewal", () => changes >= 2);
  assert.match(JSON.stringify(log.find("a new certificate was not")), /this reader is broken/);
});

test("a lifetime that is over at once does not make it busy", async (context) => {
  let requests = 0;
  start(context, async () => {
    requests++;
    return issue(0);
  });
  await delay(500);
  assert.equal(requests, 1);
});

test("it stops when it is closed, also in the middle of a request", async () => {
  let aborted = false;
  const identity = new WorkloadIdentity({
    request: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted = true;
          reject(signal.reason);
        });
      }),
    token: "t",
    log: recordedLog(),
    clock: systemClock,
    random: () => 0.5,
  });
  await delay(10);
  await identity.close();
  assert.ok(aborted);
  assert.equal(identity.svid.current, undefined);
});
