import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { createCertificateRequest } from "../identity/certificate-request.ts";
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
