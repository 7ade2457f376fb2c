import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BuiltCertificate,
  buildCertificate,
  buildRevocationList,
} from "../../test/kit/certificate-builder.ts";
import { HeldCertificate, type KnownAuthorities } from "./held-certificate.ts";
import { issuerKeyId } from "./issuer-key-id.ts";
import { parseSpiffeId } from "./spiffe-id.ts";

const NOON = new Date("2026-01-31T12:00:00Z");
const HOUR_MS = 3_600_000;
const ID = parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart");
const at = (hours: number): Date => new Date(NOON.getTime() + hours * HOUR_MS);
const life = { notBefore: at(-48), notAfter: at(48) };

const root = buildCertificate({ subject: { organization: "Ours" }, ...life });
const stranger = buildCertificate({ subject: { organization: "Theirs" }, ...life });
const signing = buildCertificate({
  subject: { organization: "Signing" },
  issuer: root,
  serialNumber: "5a",
  ...life,
});

/** From 12:00 to 13:00. */
function held(...above: readonly BuiltCertificate[]): HeldCertificate {
  const [issuer] = above;
  const leaf = buildCertificate({
    subject: {},
    issuer: issuer ?? root,
    serialNumber: "7b",
    authority: false,
    usage: ["digitalSignature"],
    uris: [ID],
    notBefore: NOON,
    notAfter: at(1),
  });
  return new HeldCertificate({
    id: ID,
    certificateChainPem: [leaf, ...above].map(({ pem }) => pem).join(""),
    privateKeyPem: leaf.keyPem,
    serialNumber: leaf.certificate.serialNumber,
    issuedAt: NOON,
    notAfter: at(1),
  });
}

function known(changes: Partial<KnownAuthorities> = {}): KnownAuthorities {
  return { rootsPem: [root.pem], ...changes };
}

/** Key identifier of an authority. */
const keyOf = (issuer: BuiltCertificate): string =>
  issuerKeyId(buildCertificate({ issuer }).certificate) ?? "";

interface Case {
  readonly certificate?: HeldCertificate;
  readonly hours?: number;
  readonly authorities?: KnownAuthorities | undefined;
  readonly valid?: false;
  readonly problem?: RegExp;
}

const direct = held();
const below = held(signing);
const revoking = (issuer: BuiltCertificate, serialNumber: string): string =>
  buildRevocationList(issuer, { revoked: [{ serialNumber }], thisUpdate: NOON });

const CASES: Readonly<Record<string, Case>> = {
  "good, nothing is known of authorities": { authorities: undefined },
  "good, of the root": {},
  "good, of an intermediate": { certificate: below },
  "at its first moment": { hours: 0 },
  "before its first moment: the clock was set back": {
    hours: -0.01,
    valid: false,
    problem: /^it is not valid yet: the clock was set back$/,
  },
  "at its end": { hours: 1, valid: false, problem: /^it has expired$/ },
  "at its end, nothing is known of authorities": {
    hours: 1,
    authorities: undefined,
    valid: false,
    problem: /^it has expired$/,
  },
  "of another root": {
    authorities: known({ rootsPem: [stranger.pem] }),
    problem: /^the mesh does not trust it: /,
  },
  "of one of two roots": { authorities: known({ rootsPem: [stranger.pem, root.pem] }) },
  "no root is left": {
    authorities: known({ rootsPem: [] }),
    problem: /^the mesh does not trust it: /,
  },
  "another authority is tainted": { authorities: known({ taintedAuthorities: ["00ff"] }) },
  "CA-51: no list speaks of it": {
    certificate: below,
    authorities: known({ crlsPem: [revoking(root, "5b"), revoking(signing, "7c")] }),
  },
  "CA-50: its issuer has revoked it": {
    authorities: known({ crlsPem: [revoking(root, "7b")] }),
    problem: /^certificate 7B is revoked since /,
  },
  "CA-50: the intermediate above it is revoked": {
    certificate: below,
    authorities: known({ crlsPem: [revoking(root, "5a"), revoking(signing, "01")] }),
    problem: /^certificate 5A of "O=Signing" is revoked since /,
  },
};

for (const [what, wanted] of Object.entries(CASES)) {
  test(`${what}: ${wanted.problem === undefined ? "kept" : "another is needed at once"}`, () => {
    const { certificate = direct, hours = 0.5, problem } = wanted;
    const authorities = "authorities" in wanted ? wanted.authorities : known();
    const found = certificate.problem(at(hours), authorities);
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(String(found), problem);
    assert.equal(certificate.isValidAt(at(hours)), wanted.valid ?? true, "as time is concerned");
  });
}

test("its authority is being replaced: the one that signed it, not the one above that", () => {
  const tainted = (one: BuiltCertificate): KnownAuthorities =>
    known({ taintedAuthorities: [keyOf(one)] });
  assert.equal(direct.problem(at(0.5), tainted(root)), "its authority is being replaced");
  assert.equal(below.problem(at(0.5), tainted(signing)), "its authority is being replaced");
  assert.equal(below.problem(at(0.5), tainted(root)), undefined);
});
