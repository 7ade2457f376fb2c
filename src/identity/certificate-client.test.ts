import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { CertificateAnswerError, readAnswer } from "./certificate-client.ts";
import { createCertificateRequest } from "./certificate-request.ts";
import { issuerOf, signLeafCertificate } from "./sign-certificate.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

const now = new Date();
const DAY_MS = 86_400_000;
const mesh = createThrowawayAuthority({ now });
const stranger = createThrowawayAuthority({ now });
const svid = mesh.svid("spiffe://cluster.local/ns/shop/sa/cart");
const { privateKeyPem } = svid;
const leaf = svid.certificateChainPem;
const server = createCertificateRequest();
const serverLeaf = mesh.authority.issueServer({
  publicKey: createPublicKey(server.privateKeyPem),
  dnsNames: ["cart"],
  ipAddresses: [],
  lifetimeMs: DAY_MS,
  now,
}).certificatePem;

/** What a workload could make with its own key: a certificate for another identity. */
const forged = {
  pem: signLeafCertificate(
    {
      publicKey: createPublicKey(privateKeyPem),
      names: { uris: ["spiffe://cluster.local/ns/shop/sa/admin"], dnsNames: [], ipAddresses: [] },
      serialNumber: Buffer.of(7),
      notBefore: new Date(now.getTime() - 60_000),
      notAfter: new Date(now.getTime() + DAY_MS),
    },
    issuerOf(new X509Certificate(leaf), createPrivateKey(privateKeyPem)),
  ),
};

test("CA-2: leaf first, roots last; the roots may be several", () => {
  const answer = readAnswer([leaf, mesh.rootPem + stranger.rootPem], { privateKeyPem, now });
  assert.equal(answer.svid.id, parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart"));
  assert.equal(answer.svid.certificateChainPem, leaf);
  assert.equal(answer.svid.serialNumber, svid.serialNumber);
  assert.equal(answer.svid.issuedAt, now);
  assert.deepEqual(answer.rootsPem, [mesh.rootPem, stranger.rootPem]);
});

const refused: [what: string, chain: readonly string[], problem: RegExp, at?: Date][] = [
  ["CA-2: one element", [leaf], /no CERTIFICATE/],
  ["no element", [], /no CERTIFICATE/],
  [
    "another workload's key",
    [mesh.svid("spiffe://x/a").certificateChainPem, mesh.rootPem],
    /another key/,
  ],
  ["a root that did not sign it", [leaf, stranger.rootPem], /no trusted root/],
  ["an unrelated intermediate", [leaf, stranger.rootPem, mesh.rootPem], /not signed by the next/],
  ["a workload that signs for others", [forged.pem, leaf, mesh.rootPem], /not a CA/],
  ["what is not PEM", ["leaf", mesh.rootPem], /not PEM/],
  ["an expired certificate", [leaf, mesh.rootPem], /expired/, new Date(now.getTime() + 2 * DAY_MS)],
  ["one from the future", [leaf, mesh.rootPem], /valid only/, new Date(now.getTime() - DAY_MS)],
];
for (const [what, chain, problem, at = now] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => readAnswer(chain, { privateKeyPem, now: at }),
      (error) => {
        assert.ok(error instanceof CertificateAnswerError);
        assert.match(describeError(error), problem);
        return true;
      },
    );
  });
}

test("refuses a certificate that names no workload", () => {
  assert.throws(
    () => readAnswer([serverLeaf, mesh.rootPem], { privateKeyPem: server.privateKeyPem, now }),
    (error) => error instanceof CertificateAnswerError && /no URI/.test(describeError(error)),
  );
});
