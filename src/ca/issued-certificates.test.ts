import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { IssuedCertificates, type NotedCertificate } from "./issued-certificates.ts";

const now = new Date("2026-03-04T05:06:07Z");
const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
const CART = parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart");
const AGENT = parseSpiffeId("spiffe://cluster.local/ns/istio-system/sa/ztunnel");
const pod = { namespace: "shop", podName: "cart-0", podUid: "uid-1", serviceAccount: "cart" };
const KEY = "ab".repeat(32);
const noted = (serial: string, changes: Partial<NotedCertificate> = {}): NotedCertificate => ({
  serial,
  publicKeySha256: KEY,
  identity: CART,
  pod,
  notAfter: later(60),
  ...changes,
});

test("a certificate is of the pod that asked for it, unless that asked in another's name, or is not known", () => {
  const issued = new IssuedCertificates();
  issued.note(noted("01"), now);
  const agent = {
    ...pod,
    namespace: "istio-system",
    podName: "ztunnel-0",
    serviceAccount: "ztunnel",
  };
  issued.note(noted("02", { pod: agent, impersonatedBy: AGENT }), now);
  issued.note(noted("03", { pod: undefined }), now);
  assert.deepEqual(issued.holderOf("01", KEY)?.pod, pod);
  for (const serial of ["02", "03", "04"])
    assert.equal(issued.holderOf(serial, KEY), undefined, serial);
});

test("a certificate with the same number and another key is another authority's", () => {
  const issued = new IssuedCertificates();
  issued.note(noted("01"), now);
  assert.deepEqual(issued.holderOf("01", KEY)?.pod, pod);
  assert.equal(issued.holderOf("01", "cd".repeat(32)), undefined);
  issued.note(noted("01", { publicKeySha256: "cd".repeat(32), pod: { ...pod, podUid: "2" } }), now);
  assert.equal(issued.holderOf("01", KEY)?.pod.podUid, pod.podUid);
});

test("what has expired counts no more, and is forgotten", () => {
  const issued = new IssuedCertificates();
  const holder = { identity: CART, pod };
  for (const serial of ["01", "02"]) issued.note(noted(serial), now);
  issued.note(noted("03", { notAfter: later(90) }), now);
  assert.equal(issued.validOf(holder, now), 3);
  assert.equal(issued.validOf(holder, later(60)), 1);
  assert.equal(issued.holderOf("01", KEY), undefined);
  assert.equal(issued.validOf(holder, later(90)), 0);
  assert.equal(issued.validOf({ ...holder, pod: { ...pod, podUid: "uid-2" } }, now), 0);
});

test("the oldest give way when there are too many", () => {
  const issued = new IssuedCertificates(100);
  for (let number = 0; number < 250; number++) issued.note(noted(`${number}`), now);
  assert.equal(issued.holderOf("149", KEY), undefined);
  assert.notEqual(issued.holderOf("150", KEY), undefined);
  assert.equal(issued.validOf({ identity: CART, pod }, now), 100);
});
