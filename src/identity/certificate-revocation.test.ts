import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  buildCertificate,
  buildRevocationList,
  ecKeys,
  rsaKeys,
} from "../../test/kit/certificate-builder.ts";
import { isRevoked, revocationProblem } from "./certificate-revocation.ts";
import {
  InvalidRevocationListError,
  MAX_REVOKED_CERTIFICATES,
  parseRevocationList,
  revocationListProblem,
} from "./certificate-revocation-list.ts";
import { formatPem, readPem } from "./pem.ts";

const now = new Date();
const DAY_MS = 86_400_000;
const root = buildCertificate({ subject: { organization: "Root" } });
const signing = buildCertificate({
  subject: { organization: "Signing" },
  issuer: root,
  serialNumber: "00f1",
});
const leaf = buildCertificate({
  subject: {},
  issuer: signing,
  serialNumber: "7b",
  authority: false,
  usage: ["digitalSignature"],
});
const chain = [leaf.certificate, signing.certificate];
const listed = (...serials: string[]) => ({
  revoked: serials.map((serialNumber) => ({ serialNumber })),
});

test("a leaf that its issuer has revoked is refused, by its serial number and since when", () => {
  const problem = revocationProblem(chain, [buildRevocationList(signing, listed("05", "7b"))], now);
  assert.match(String(problem), /^certificate 7B is revoked since 20/);
});

test("CA-51: what no list speaks of is allowed", () => {
  assert.equal(revocationProblem(chain, [], now), undefined);
  assert.equal(revocationProblem(chain, [buildRevocationList(signing)], now), undefined);
  assert.equal(
    revocationProblem(chain, [buildRevocationList(signing, listed("7c"))], now),
    undefined,
  );
  assert.equal(revocationProblem(chain, [buildRevocationList(root, listed("7b"))], now), undefined);
});

test("an intermediate that the root has revoked is refused, with the root at hand or without", () => {
  const lists = [buildRevocationList(root, listed("f1"))];
  assert.match(
    String(revocationProblem(chain, lists, now)),
    /^certificate F1 of "O=Signing" is revoked/,
  );
  assert.match(String(revocationProblem([...chain, root.certificate], lists, now)), /revoked/);
});

test("a list that another key signed says nothing of this issuer's certificates", () => {
  const forged = buildRevocationList(signing, { ...listed("7b"), signer: ecKeys() });
  assert.equal(revocationProblem(chain, [forged], now), undefined);
});

test("a list past its next update still revokes what it names, and says that it is old", () => {
  const old = buildRevocationList(signing, {
    ...listed("7b"),
    thisUpdate: new Date(now.getTime() - 2 * DAY_MS),
    nextUpdate: new Date(now.getTime() - DAY_MS),
  });
  assert.match(String(revocationProblem(chain, [old], now)), /due to be replaced/);
});

test("a list that cannot be read lets nobody through", () => {
  assert.match(String(revocationProblem(chain, ["nonsense"], now)), /cannot be told/);
});

test("serial numbers mean the same however many zeros stand before them", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 120n }), (serial) => {
      const text = serial.toString(16);
      const even = text.length % 2 === 0 ? text : `0${text}`;
      const positive = Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even;
      const one = buildCertificate({ issuer: signing, keys: root, serialNumber: positive });
      const list = parseRevocationList(buildRevocationList(signing, listed(text)));
      assert.ok(isRevoked(one.certificate, [list], signing.certificate));
    }),
    { numRuns: 40 },
  );
});

test("an RSA authority's list is verified as an EC one's", () => {
  const rsa = buildCertificate({ subject: { organization: "Old" }, keys: rsaKeys() });
  const list = parseRevocationList(buildRevocationList(rsa));
  assert.equal(revocationListProblem(list, rsa.certificate), undefined);
  assert.match(String(revocationListProblem(list, root.certificate)), /another issuer/);
});

const noCrlSign = buildCertificate({ usage: ["keyCertSign"] });
const weak = buildCertificate({ keys: rsaKeys() });
for (const [what, list, issuer, problem] of [
  ["no right to sign lists", buildRevocationList(noCrlSign), noCrlSign, /cRLSign/],
  ["SHA-1", buildRevocationList(weak, { hash: "sha1" }), weak, /algorithm/],
  ["another key", buildRevocationList(root, { signer: ecKeys() }), root, /does not verify/],
] as const) {
  test(`a list is not its issuer's: ${what}`, () => {
    assert.match(
      String(revocationListProblem(parseRevocationList(list), issuer.certificate)),
      problem,
    );
  });
}

function refusesList(pem: string, problem: RegExp): void {
  assert.throws(
    () => parseRevocationList(pem),
    (error) =>
      error instanceof InvalidRevocationListError &&
      problem.test(`${error.message} ${error.cause instanceof Error ? error.cause.message : ""}`),
  );
}

test("only complete lists of one issuer are read: a delta or a part of a list is refused", () => {
  refusesList(buildRevocationList(root, { unknownCritical: ["2.5.29.27"] }), /2\.5\.29\.27/);
  refusesList(buildRevocationList(root, { unknownCritical: ["2.5.29.28"] }), /2\.5\.29\.28/);
});

test("refuses trailing bytes, two lists, another kind of block, and more than may be", () => {
  const pem = buildRevocationList(root);
  const [der = Buffer.alloc(0)] = readPem(pem, { labels: ["X509 CRL"], maxCharacters: 10_000 });
  refusesList(formatPem("X509 CRL", Buffer.concat([der, Buffer.of(0)])), /trailing/);
  refusesList(pem + pem, /more than one/);
  refusesList(root.pem, /expected X509 CRL/);
  const many = Array.from({ length: MAX_REVOKED_CERTIFICATES + 1 }, (_, index) =>
    (index + 256).toString(16),
  );
  refusesList(buildRevocationList(root, listed(...many)), /at most 20000/);
});

test("no bytes of a list can be changed without a refusal, a failed signature or the same meaning", () => {
  const pem = buildRevocationList(signing, listed("7b"));
  const [der = Buffer.alloc(0)] = readPem(pem, { labels: ["X509 CRL"], maxCharacters: 10_000 });
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ flip;
      let list: ReturnType<typeof parseRevocationList>;
      try {
        list = parseRevocationList(formatPem("X509 CRL", changed));
      } catch (error) {
        assert.ok(error instanceof InvalidRevocationListError);
        return;
      }
      assert.notEqual(revocationListProblem(list, signing.certificate), undefined);
    }),
    { numRuns: 400 },
  );
});
