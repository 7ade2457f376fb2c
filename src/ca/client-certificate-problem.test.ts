import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import {
  type BuiltCertificate,
  buildCertificate,
  buildRevocationList,
} from "../../test/kit/certificate-builder.ts";
import { clientCertificateProblem } from "./client-certificate-problem.ts";

const now = new Date();
const HOUR_MS = 3_600_000;
const hence = (hours: number): Date => new Date(now.getTime() + hours * HOUR_MS);

const root = buildCertificate({ subject: { organization: "Root" }, notAfter: hence(9_000) });
const other = buildCertificate({ subject: { organization: "Other" }, notAfter: hence(9_000) });
const signing = buildCertificate({
  subject: { organization: "Signing" },
  issuer: root,
  serialNumber: "00f1",
  notAfter: hence(50),
});
const trust = { rootsPem: [other.pem, root.pem], crlsPem: [] as readonly string[] };
const revoking = (issuer: BuiltCertificate, serialNumber: string): readonly string[] => [
  buildRevocationList(issuer, { revoked: [{ serialNumber }] }),
];

/** A leaf as its connection has it, with what was sent above it. */
function presented(
  above: readonly BuiltCertificate[],
  options: Parameters<typeof buildCertificate>[0] = {},
): X509Certificate {
  const leaf = buildCertificate({
    subject: {},
    issuer: above[0] ?? root,
    serialNumber: "7b",
    authority: false,
    usage: ["digitalSignature"],
    uris: ["spiffe://cluster.local/ns/shop/sa/cart"],
    notAfter: hence(24),
    ...options,
  });
  return linked([leaf, ...above]);
}

function linked([first, ...above]: readonly BuiltCertificate[]): X509Certificate {
  assert.ok(first !== undefined);
  const certificate = new X509Certificate(first.pem);
  const next = above.length === 0 ? undefined : linked(above);
  Object.defineProperty(certificate, "issuerCertificate", { value: next });
  return certificate;
}

test("one that leads to a trusted root is good until it ends", () => {
  const certificate = presented([signing]);
  assert.equal(clientCertificateProblem(certificate, { trust, now }), undefined);
  const late = clientCertificateProblem(certificate, { trust, now: hence(25) });
  assert.match(String(late), /^expired at 20/);
  const early = clientCertificateProblem(certificate, { trust, now: hence(-9_000) });
  assert.match(String(early), /^is valid only from 20/);
  assert.equal(clientCertificateProblem(certificate, { trust, now: hence(23) }), undefined);
});

test("one whose authority ends first is good until then", () => {
  const certificate = presented([signing], { notAfter: hence(200) });
  assert.equal(clientCertificateProblem(certificate, { trust, now: hence(49) }), undefined);
  const late = clientCertificateProblem(certificate, { trust, now: hence(51) });
  assert.match(String(late), /^expired at/);
});

test("a root that leaves takes all that leads to it along; one that comes back is trusted again", () => {
  const certificate = presented([signing]);
  const without = { rootsPem: [other.pem], crlsPem: [] };
  for (const round of [1, 2]) {
    assert.equal(clientCertificateProblem(certificate, { trust, now }), undefined, `${round}`);
    const problem = clientCertificateProblem(certificate, { trust: without, now });
    assert.match(String(problem), /^is not trusted any more: .*leads to no trusted root/);
  }
});

for (const [what, crlsPem] of [
  ["the leaf", revoking(signing, "7b")],
  ["an authority of its chain", revoking(root, "f1")],
] as const)
  test(`a list that comes and names ${what} counts at once, for what was good before too (CA-50)`, () => {
    const certificate = presented([signing]);
    assert.equal(clientCertificateProblem(certificate, { trust, now }), undefined);
    const problem = clientCertificateProblem(certificate, { trust: { ...trust, crlsPem }, now });
    assert.match(String(problem), /^is refused: certificate (7B|F1) .*is revoked since/);
    assert.equal(clientCertificateProblem(certificate, { trust, now }), undefined);
  });

test("what is put before a revoked authority hides nothing", () => {
  const stray = buildCertificate({ subject: { organization: "Stray" } });
  const leaf = buildCertificate({
    subject: {},
    issuer: signing,
    authority: false,
    usage: ["digitalSignature"],
    notAfter: hence(24),
  });
  for (const above of [[stray, signing], [other, signing], []]) {
    const problem = clientCertificateProblem(linked([leaf, ...above]), { trust, now });
    assert.match(String(problem), /^is not trusted any more/);
  }
});

test("of two roots with one key the one that has not ended counts", () => {
  const ended = buildCertificate({
    subject: { organization: "Root" },
    keys: root,
    notBefore: hence(-9_000),
    notAfter: hence(-1),
  });
  const both = { rootsPem: [ended.pem, root.pem], crlsPem: [] };
  assert.equal(clientCertificateProblem(presented([]), { trust: both, now }), undefined);
});
