import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { createCertificateRequest } from "../identity/certificate-request.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { verifyChain } from "../identity/verify-chain.ts";
import { CertificateAuthority, UnusableAuthorityError } from "./certificate-authority.ts";
import { AuthorityExpiredError } from "./issuing-rules.ts";
import { createSelfSignedAuthority } from "./self-signed-authority.ts";

const now = new Date("2026-03-04T05:06:07Z");
const DAY_MS = 86_400_000;
const id = parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart");
const { privateKeyPem } = createCertificateRequest();
const publicKey = createPublicKey(privateKeyPem);

function authorityFor(lifetimeMs: number): CertificateAuthority {
  const { certificatePem, privateKeyPem } = createSelfSignedAuthority({
    trustDomain: "cluster.local",
    now,
    lifetimeMs,
  });
  return new CertificateAuthority({
    certificatePem,
    privateKey: createPrivateKey(privateKeyPem),
    rootsPem: [certificatePem],
  });
}

test("CA-10: a certificate ends no later than the authority's", () => {
  const authority = authorityFor(DAY_MS / 2);
  const issued = authority.issue({ publicKey, id, lifetimeMs: DAY_MS, now });
  assert.deepEqual(issued.notAfter, authority.notAfter);
  assert.deepEqual(issued.notAfter, new Date(now.getTime() + DAY_MS / 2));
});

test("CA-10: an expired authority signs nothing", () => {
  const late = new Date(now.getTime() + DAY_MS);
  const request = { publicKey, id, lifetimeMs: DAY_MS, now: late };
  assert.throws(() => authorityFor(DAY_MS).issue(request), AuthorityExpiredError);
});

test("CA-2, CA-58: intermediates follow the leaf, and the chain leads to the root", () => {
  const { authority, rootPem } = createThrowawayAuthority({ now });
  const { chainPem } = authority.issue({ publicKey, id, lifetimeMs: DAY_MS, now });
  assert.equal(chainPem.length, 1);
  const chain = chainPem.map((pem) => new X509Certificate(pem));
  verifyChain(chain, { roots: [new X509Certificate(rootPem)], now });
});

test("CA-21: the control plane's own certificate has its DNS names and addresses", () => {
  const issued = authorityFor(DAY_MS).issueServer({
    publicKey,
    dnsNames: ["istiod.istio-system.svc", "localhost"],
    ipAddresses: ["127.0.0.1", "::1"],
    lifetimeMs: DAY_MS,
    now,
  });
  const certificate = new X509Certificate(issued.certificatePem);
  assert.equal(certificate.checkHost("istiod.istio-system.svc"), "istiod.istio-system.svc");
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(certificate.checkIP("::1"), "::1");
  assert.equal(certificate.checkHost("elsewhere"), undefined);
});

test("CA-45: a leaf, or another's key, makes no authority", () => {
  const mesh = createThrowawayAuthority({ now });
  const svid = mesh.svid(id);
  const options = { privateKey: createPrivateKey(svid.privateKeyPem), rootsPem: [mesh.rootPem] };
  assert.throws(
    () => new CertificateAuthority({ ...options, certificatePem: svid.certificateChainPem }),
    UnusableAuthorityError,
  );
  assert.throws(
    () => new CertificateAuthority({ ...options, certificatePem: mesh.rootPem }),
    UnusableAuthorityError,
  );
});

test("CA-8: a common name is the identity, where one was asked for and it is not too long", () => {
  const authority = authorityFor(DAY_MS);
  const subjectOf = (account: string, commonName: "none" | "identity"): string => {
    const long = parseSpiffeId(`spiffe://cluster.local/ns/shop/sa/${account}`);
    const request = { publicKey, id: long, lifetimeMs: DAY_MS, now, commonName };
    const certificate = new X509Certificate(authority.issue(request).certificatePem);
    assert.equal(spiffeIdOfCertificate(certificate), long);
    return certificate.subject ?? "";
  };
  assert.equal(subjectOf("cart", "none"), "");
  assert.equal(subjectOf("cart", "identity"), "CN=spiffe://cluster.local/ns/shop/sa/cart");
  const most = "a".repeat(64 - "spiffe://cluster.local/ns/shop/sa/".length);
  assert.match(subjectOf(most, "identity"), /^CN=spiffe:.{57}$/);
  assert.equal(subjectOf(`${most}a`, "identity"), "");
});

test("CA-10: a certificate ends no later than what is above its issuer, whatever else is trusted", () => {
  const inDays = (days: number): Date => new Date(now.getTime() + days * DAY_MS);
  const dates = { notBefore: now };
  const root = buildCertificate({ ...dates, subject: { commonName: "Root" }, notAfter: inDays(2) });
  const other = buildCertificate({ ...dates, subject: { commonName: "O" }, notAfter: inDays(1) });
  const issuer = buildCertificate({
    ...dates,
    subject: { commonName: "Issuer" },
    issuer: root,
    notAfter: inDays(9),
  });
  const authority = new CertificateAuthority({
    certificatePem: issuer.certificate.toString(),
    privateKey: issuer.privateKey,
    intermediatesPem: [issuer.certificate.toString()],
    rootsPem: [other.certificate.toString(), root.certificate.toString()],
  });
  assert.deepEqual(authority.notAfter, inDays(9));
  assert.deepEqual(authority.chainNotAfter, inDays(2));
  const issued = authority.issue({ publicKey, id, lifetimeMs: 5 * DAY_MS, now });
  assert.deepEqual(issued.notAfter, inDays(2));
});

test("CA-16: what is signed in the thread pool is no different", async () => {
  const authority = authorityFor(DAY_MS);
  const issued = await authority.issueOffLoop({ publicKey, id, lifetimeMs: 60_000, now });
  const certificate = new X509Certificate(issued.certificatePem);
  verifyChain([certificate], { roots: [authority.certificate], now });
  assert.equal(certificate.serialNumber, issued.serialNumber);
  const late = new Date(now.getTime() + DAY_MS);
  const request = { publicKey, id, lifetimeMs: DAY_MS, now: late };
  await assert.rejects(authority.issueOffLoop(request), AuthorityExpiredError);
});

test("CA-16: serial numbers have 128 random bits, and none comes twice", async () => {
  const authority = authorityFor(DAY_MS);
  const request = { publicKey, id, lifetimeMs: 60_000, now };
  const issued = await Promise.all(
    Array.from({ length: 500 }, () => authority.issueOffLoop(request)),
  );
  const serials = issued.map(({ serialNumber }) => BigInt(`0x${serialNumber}`));
  assert.equal(new Set(serials).size, serials.length);
  for (let bit = 0n; bit < 128n; bit++) {
    const ones = serials.filter((serial) => (serial >> bit) % 2n === 1n).length;
    assert.ok(ones > 150 && ones < 350, `bit ${bit} is set ${ones} times of 500`);
  }
});
