import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { systemClock } from "../runtime/clock.ts";
import { WatchedValue } from "../runtime/watched.ts";
import type { RequestCertificate } from "./certificate-client.ts";
import type { KnownAuthorities } from "./held-certificate.ts";
import { issuerKeyId } from "./issuer-key-id.ts";
import { WorkloadIdentity } from "./workload-identity.ts";
import type { X509Svid } from "./x509-svid.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const mesh = createThrowawayAuthority();

function start(context: TestContext, request: RequestCertificate) {
  const log = recordedLog();
  const clock = { shiftMs: 0, now: () => new Date(Date.now() + clock.shiftMs) };
  const authorities = new WatchedValue<KnownAuthorities | undefined>(undefined);
  const identity = new WorkloadIdentity({
    request,
    token: "first",
    authorities,
    log,
    clock,
    random: () => 0.1,
  });
  context.after(() => identity.close());
  return { identity, log, clock, authorities };
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

test("a certificate that the control plane takes no more is renewed at once, and the next one not before a pause", async (context) => {
  const { identity, log } = start(context, async () => issue(3_600_000));
  const first = await eventually("a certificate", () => identity.svid.current);
  identity.refuse(issue(3_600_000).svid); // not the one that is held
  identity.refuse(first);
  const second = await eventually("another", () => {
    const { current } = identity.svid;
    return current !== first && current;
  });
  assert.ok(second);
  identity.refuse(first); // told late
  identity.refuse(second);
  await delay(1_800);
  assert.equal(identity.svid.current, second);
  const [ahead, ...more] = log.find("the certificate is renewed ahead of time");
  assert.equal(ahead?.fields["because"], "the control plane takes it no more");
  assert.deepEqual(more, []);
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

const next = createThrowawayAuthority();

function issuerOf(svid: X509Svid | undefined): string {
  const pem = svid?.certificateChainPem ?? assert.fail("there is no certificate");
  return issuerKeyId(new X509Certificate(pem)) ?? assert.fail("it names no issuer");
}

test("pain 29: whose authority is being replaced renews at once, and takes nothing of it any more", async (context) => {
  let requests = 0;
  const { identity, log, authorities } = start(context, async () => {
    requests++;
    const authority = requests < 4 ? mesh : next;
    const svid = authority.svid(CART, { now: systemClock.now(), lifetimeMs: 600_000 });
    return { svid, rootsPem: [mesh.rootPem, next.rootPem] };
  });
  const first = await eventually("a certificate", () => identity.svid.current);
  const rootsPem = [mesh.rootPem, next.rootPem];
  authorities.set({ rootsPem });
  await delay(1_500);
  assert.equal(requests, 1, "nothing is tainted yet");
  const tainted = issuerOf(first);
  const begun = performance.now();
  authorities.set({ rootsPem, taintedAuthorities: [tainted] });
  await eventually("a renewal", () => identity.svid.current !== first);
  assert.ok(performance.now() - begun < 10_000);
  assert.notEqual(issuerOf(identity.svid.current), tainted);
  assert.match(JSON.stringify(log.find("the certificate is renewed ahead")), /being replaced/);
  const refused = log.find("certificate request failed");
  assert.equal(refused.length, 2);
  for (const { fields } of refused)
    assert.match(String(fields["error"]), /of no use: its authority/);
});

test("a new certificate that the mesh does not trust is refused, and asked for again", async (context) => {
  let requests = 0;
  const { identity, log, authorities } = start(context, async () => {
    requests++;
    const authority = requests === 2 ? next : mesh;
    const svid = authority.svid(CART, { now: systemClock.now(), lifetimeMs: 3_000 });
    return { svid, rootsPem: [mesh.rootPem] };
  });
  const first = await eventually("a certificate", () => identity.svid.current);
  authorities.set({ rootsPem: [mesh.rootPem] });
  await eventually("a renewal", () => identity.svid.current !== first);
  assert.equal(requests, 3);
  assert.equal(issuerOf(identity.svid.current), issuerOf(first));
  assert.match(JSON.stringify(log.find("certificate request failed")), /does not trust it/);
});

test("with nothing valid left, any certificate is better than none", async (context) => {
  const { identity, authorities } = start(context, async () => issue(60_000));
  authorities.set({ rootsPem: [next.rootPem] });
  await eventually("a certificate", () => identity.svid.current);
});

test("pain 30: after a jump of the clock it asks at once, and again as soon as a fresh token comes", async (context) => {
  const asked: { readonly token: string; readonly current: boolean }[] = [];
  const { identity, clock, log } = start(context, async ({ token, current }) => {
    await delay(1); // the clock is there only once it was started
    asked.push({ token, current: current !== undefined });
    if (token === "first" && clock.shiftMs > 0) throw new Error("the token has expired");
    const svid = mesh.svid(CART, { now: clock.now(), lifetimeMs: 1_800_000 });
    return { svid, rootsPem: [mesh.rootPem] };
  });
  const first = await eventually("a certificate", () => identity.svid.current);
  await delay(1_200);
  const jumped = performance.now();
  clock.shiftMs = 12 * 3_600_000;
  await eventually("a refusal", () => log.find("certificate request failed")[0]);
  assert.ok(performance.now() - jumped < 1_500);
  assert.equal(log.find("the clock jumped").length, 1);
  identity.setToken("fresh");
  await eventually("a renewal", () => identity.svid.current !== first);
  assert.deepEqual(asked.at(-1), { token: "fresh", current: false });
});

test("a clock that was set back leaves a certificate of the future: another is asked for", async (context) => {
  const { identity, clock, log } = start(context, async () => {
    await delay(1); // the clock is there only once it was started
    const svid = mesh.svid(CART, { now: clock.now(), lifetimeMs: 600_000 });
    return { svid, rootsPem: [mesh.rootPem] };
  });
  await eventually("a certificate", () => identity.svid.current);
  clock.shiftMs = 7_200_000;
  await eventually("the first renewal", () => log.find("certificate renewed")[0]);
  const held = identity.svid.current;
  await delay(1_200);
  clock.shiftMs = 0;
  await eventually("another", () => identity.svid.current !== held);
  assert.match(JSON.stringify(log.find("the certificate is renewed ahead")), /set back/);
});

test("while it is valid, the certificate that is held goes with the request", async (context) => {
  const currents: (X509Svid | undefined)[] = [];
  const { identity } = start(context, async ({ current }) => {
    currents.push(current);
    return issue(2_500);
  });
  await eventually("a renewal", () => currents.length >= 2);
  assert.equal(currents[0], undefined);
  assert.equal(currents[1]?.id, CART);
  assert.ok(identity.svid.current);
});
