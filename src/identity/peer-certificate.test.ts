import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { createSelfSignedAuthority } from "../ca/self-signed-authority.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import {
  PeerCertificateError,
  spiffeIdOfCertificate,
  verifyTrustDomain,
} from "./peer-certificate.ts";
import { type AlternativeNames, issuerOf, signLeafCertificate } from "./sign-certificate.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

const now = new Date();
const { certificatePem, privateKeyPem } = createSelfSignedAuthority({ trustDomain: "x", now });
const rootCertificate = new X509Certificate(certificatePem);
const issuer = issuerOf(rootCertificate, createPrivateKey(privateKeyPem));
const publicKey = createPublicKey(createCertificateRequest().privateKeyPem);

function certificateWith(names: Partial<AlternativeNames>): X509Certificate {
  const pem = signLeafCertificate(
    {
      publicKey,
      names: { uris: [], dnsNames: [], ipAddresses: [], ...names },
      serialNumber: Buffer.of(1),
      notBefore: now,
      notAfter: new Date(now.getTime() + 60_000),
    },
    issuer,
  );
  return new X509Certificate(pem);
}

const CART = "spiffe://cluster.local/ns/shop/sa/cart";

test("one SPIFFE URI is the identity, whatever other kinds of names stand beside it", () => {
  const certificate = certificateWith({
    uris: [CART],
    dnsNames: ["cart.shop", "URI:spiffe://cluster.local/ns/shop/sa/admin"],
    ipAddresses: ["10.0.0.1"],
  });
  assert.equal(spiffeIdOfCertificate(certificate), CART);
});

const refused: [what: string, names: Partial<AlternativeNames>, problem: RegExp][] = [
  ["no name at all", {}, /no URI/],
  ["QK-26: only a DNS name", { dnsNames: ["cart.shop"] }, /no URI/],
  ["QK-26: two URIs", { uris: [CART, `${CART}2`] }, /2 URI/],
  ["the same URI twice", { uris: [CART, CART] }, /2 URI/],
  ["another scheme", { uris: ["https://cluster.local/ns/shop/sa/cart"] }, /no identity/],
  ["a bare trust domain", { uris: ["spiffe://cluster.local"] }, /not a workload/],
  ["a comma that could start another name", { uris: [`${CART}, URI:${CART}2`] }, /no identity/],
  ["a quote", { uris: [`${CART}"`] }, /no identity/],
  ["a zero byte", { uris: [`${CART}\0.evil`] }, /no identity/],
  ["a DNS name made to look like a URI in text", { dnsNames: [`x, URI:${CART}`] }, /no URI/],
];
for (const [what, names, problem] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => spiffeIdOfCertificate(certificateWith(names)),
      (error) => error instanceof PeerCertificateError && problem.test(error.message),
    );
  });
}

/** The bit string of the key usage `03 02 05 a0`, changed: digital signature is 80, certificate sign 04, CRL sign 02. */
for (const [what, usage] of [
  ["certificates", "030201a4"],
  ["revocation lists", "030201a2"],
  ["nothing of ours", "03020520"],
] as const) {
  test(`refuses a key that is for ${what}`, () => {
    const hex = certificateWith({ uris: [CART] }).raw.toString("hex");
    assert.equal(hex.split("0404030205a0").length, 2);
    const changed = hex.replace("0404030205a0", `0404${usage}`);
    const certificate = new X509Certificate(Buffer.from(changed, "hex"));
    assert.throws(() => spiffeIdOfCertificate(certificate), /the certificate's key/);
  });
}

test("refuses an authority's certificate", () => {
  assert.throws(() => spiffeIdOfCertificate(rootCertificate), /authority's own/);
});

test("any path segment that an identity may have survives the way through a certificate", () => {
  const alphabet = [..."abcXYZ019._-"];
  const segment = fc
    .string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 40 })
    .filter((text) => text !== "." && text !== "..");
  fc.assert(
    fc.property(segment, segment, (namespace, account) => {
      const id = parseSpiffeId(`spiffe://cluster.local/ns/${namespace}/sa/${account}`);
      assert.equal(spiffeIdOfCertificate(certificateWith({ uris: [id] })), id);
    }),
    { numRuns: 30 },
  );
});

test("TLS-4: own and aliased trust domains pass, others do not", () => {
  const accepted = { trustDomain: "cluster.local", trustDomainAliases: ["old.local"] };
  verifyTrustDomain(parseSpiffeId("spiffe://cluster.local/ns/a/sa/b"), accepted);
  verifyTrustDomain(parseSpiffeId("spiffe://old.local/ns/a/sa/b"), accepted);
  for (const domain of ["cluster.local.evil", "cluster.loca", "local"]) {
    const id = parseSpiffeId(`spiffe://${domain}/ns/a/sa/b`);
    assert.throws(() => verifyTrustDomain(id, accepted), PeerCertificateError);
  }
});

test("the throw-away authority of the tests makes such certificates", () => {
  const svid = createThrowawayAuthority().svid(CART);
  assert.equal(spiffeIdOfCertificate(new X509Certificate(svid.certificateChainPem)), CART);
});
