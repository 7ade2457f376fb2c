import assert from "node:assert/strict";
import { test } from "node:test";
import { buildCertificate, ecKeys } from "../../test/kit/certificate-builder.ts";
import { UntrustedChainError, verifyChain } from "./verify-chain.ts";

const now = new Date();
const HOUR_MS = 3_600_000;
const keys = ecKeys();
const root = buildCertificate({ subject: { organization: "Root" } });
const above = buildCertificate({
  subject: { organization: "Above" },
  issuer: root,
  serialNumber: "02",
});
const signing = buildCertificate({
  subject: { organization: "Signing" },
  issuer: above,
  serialNumber: "03",
});
const leafOf = (issuer: typeof root, options: Parameters<typeof buildCertificate>[0] = {}) =>
  buildCertificate({
    subject: {},
    issuer,
    keys,
    authority: false,
    usage: ["digitalSignature"],
    uris: ["spiffe://cluster.local/ns/shop/sa/cart"],
    ...options,
  });
const of = (...built: (typeof root)[]) => built.map(({ certificate }) => certificate);

test("CA-2, CA-58: a chain of several authorities leads to its root, with or without the root in it", () => {
  const chain = of(leafOf(signing), signing, above);
  const roots = of(buildCertificate(), root);
  assert.equal(verifyChain(chain, { roots, now }), root.certificate);
  assert.equal(verifyChain([...chain, root.certificate], { roots, now }), root.certificate);
});

const narrow = buildCertificate({
  subject: { organization: "Narrow" },
  authority: { pathLength: 0 },
});
const belowNarrow = buildCertificate({ subject: { organization: "Below" }, issuer: narrow });
const notCa = buildCertificate({
  subject: { organization: "Plain" },
  issuer: root,
  authority: false,
});
const noSign = buildCertificate({
  subject: { organization: "Mute" },
  issuer: root,
  usage: ["digitalSignature", "cRLSign"],
});
const clientOnly = buildCertificate({
  subject: { organization: "Client" },
  issuer: root,
  extendedUsage: ["1.3.6.1.5.5.7.3.2"],
});
const odd = buildCertificate({
  subject: { organization: "Odd" },
  issuer: root,
  unknownCritical: ["1.3.6.1.4.1.1.1"],
});
const sameName = buildCertificate({
  subject: { organization: "Signing" },
  issuer: root,
  keyIdentifiers: false,
});
const otherKey = buildCertificate({ subject: { organization: "Signing" }, issuer: root });
const otherRoot = buildCertificate({ subject: { organization: "Root" } });

const refused: [what: string, chain: (typeof root)[], roots: (typeof root)[], problem: RegExp][] = [
  ["an empty chain", [], [root], /empty/],
  ["no roots", [leafOf(root)], [], /no trusted root: it ends at "O=Root"/],
  ["a root of the same name", [leafOf(root)], [otherRoot], /names another key.* the root of that/],
  ["a foreign root", [leafOf(signing), signing, above], [buildCertificate()], /no trusted root/],
  ["a missing intermediate", [leafOf(signing), above], [root], /is not issued by/],
  ["another key of the same name", [leafOf(signing), sameName], [root], /signature/],
  ["another key identifier", [leafOf(signing), otherKey], [root], /authorityKeyIdentifier/],
  ["a path length of the root", [leafOf(belowNarrow), belowNarrow], [narrow], /pathlen:0/],
  ["an intermediate that is no CA", [leafOf(notCa), notCa], [root], /CA:TRUE/],
  ["an intermediate without keyCertSign", [leafOf(noSign), noSign], [root], /keyCertSign/],
  ["an intermediate for clients only", [leafOf(clientOnly), clientOnly], [root], /serverAuth/],
  ["a critical extension that nobody knows", [leafOf(odd), odd], [root], /1\.3\.6\.1\.4\.1\.1\.1/],
  [
    "key identifiers that are critical",
    [leafOf(root, { keyIdentifiers: "critical" })],
    [root],
    /calls a key identifier critical/,
  ],
  [
    "a leaf signed with SHA-1",
    [leafOf(root, { hash: "sha1" })],
    [root],
    /algorithm that is not accepted/,
  ],
  [
    "a leaf that is over",
    [leafOf(root, { notAfter: new Date(now.getTime() - 1) })],
    [root],
    /expired/,
  ],
  [
    "a leaf that has not begun",
    [leafOf(root, { notBefore: new Date(now.getTime() + HOUR_MS) })],
    [root],
    /valid only from/,
  ],
  ["too long a chain", Array.from({ length: 11 }, () => signing), [root], /too long/],
];
for (const [what, chain, roots, problem] of refused) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => verifyChain(of(...chain), { roots: of(...roots), now }),
      (error) => error instanceof UntrustedChainError && problem.test(error.message),
    );
  });
}

test("a path length that is just enough is enough", () => {
  const one = buildCertificate({ subject: { organization: "One" }, authority: { pathLength: 1 } });
  const below = buildCertificate({
    subject: { organization: "Two" },
    issuer: one,
    authority: { pathLength: 0 },
  });
  verifyChain(of(leafOf(below), below), { roots: of(one), now });
});
