/** What the fuzzer found that readers disagree about, and what must not be found again. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { type DerNode, parseTree, writeTree } from "../../test/kit/der-mutations.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { verifyCertificateForm } from "./certificate-form.ts";
import { InvalidDerError } from "./der.ts";

const mesh = createThrowawayAuthority();
const svid = mesh.svid("spiffe://cluster.local/ns/shop/sa/cart");
const certificate = new X509Certificate(svid.certificateChainPem).raw;
const VALIDITY = [0, 4];
const EXTENSIONS = [0, 7, 0];
const KEY_USAGE = 0;
const EXTENDED_USAGE = 1;
const CONSTRAINTS = 2;
const SUBJECT_KEY = 3;
const AUTHORITY_KEY = 4;

/** @param path which child, of which child, and so on */
function nodeAt(root: DerNode, path: readonly number[]): DerNode {
  return path.reduce((node, index) => node.children?.[index] ?? assert.fail(), root);
}

function replace(path: readonly number[], hex: string): (root: DerNode) => void {
  return (root) => {
    const node = nodeAt(root, path);
    node.contents = Buffer.from(hex, "hex");
    node.children = undefined;
  };
}

const pathToValue = (extension: number): readonly number[] => {
  const fields = nodeAt(parseTree(certificate), [...EXTENSIONS, extension]).children ?? [];
  return [...EXTENSIONS, extension, fields.length - 1];
};

const text = (time: string): string => Buffer.from(time).toString("hex");

const faults: [what: string, change: (root: DerNode) => void][] = [
  ["a time that there is not", replace([...VALIDITY, 0], text("261322211117Z"))],
  ["the 31st of April", replace([...VALIDITY, 1], text("300431000000Z"))],
  ["a time without seconds", replace([...VALIDITY, 0], text("2611222111Z"))],
  ["a time of another zone", replace([...VALIDITY, 0], text("261122211117+0100"))],
  ["a time without bytes", replace([...VALIDITY, 1], "")],
  ["one time", (root) => void nodeAt(root, VALIDITY).children?.pop()],
  [
    "three times",
    (root) => void nodeAt(root, VALIDITY).children?.push(nodeAt(root, [...VALIDITY, 0])),
  ],
  ["a serial number without bytes", replace([0, 1], "")],
  ["a subject key identifier in a set", replace(pathToValue(SUBJECT_KEY), "3100")],
  ["a subject key identifier that is cut short", replace(pathToValue(SUBJECT_KEY), "04149a")],
  ["an authority key identifier twice", replace(pathToValue(AUTHORITY_KEY), "3006800101800101")],
  [
    "an authority key identifier with a serial number, and no issuer",
    replace(pathToValue(AUTHORITY_KEY), "3006800101820101"),
  ],
  [
    "an authority key identifier that is nested",
    replace(pathToValue(AUTHORITY_KEY), "300430028000"),
  ],
  ["constraints in the wrong order", replace(pathToValue(CONSTRAINTS), "30060201000101ff")],
  ["constraints with a stranger", replace(pathToValue(CONSTRAINTS), "30020500")],
  ["a key usage that is no bit string", replace(pathToValue(KEY_USAGE), "04020780")],
  ["a key usage with bits that are not counted", replace(pathToValue(KEY_USAGE), "030207ff")],
  [
    "name constraints that are something else",
    (root) => {
      nodeAt(root, [...EXTENSIONS, EXTENDED_USAGE, 0]).contents = Buffer.from("551d1e", "hex");
    },
  ],
  ["an extended usage of nothing", replace(pathToValue(EXTENDED_USAGE), "3000")],
  ["no extension in the list", replace(EXTENSIONS, "")],
  [
    "a second list of extensions",
    (root) => void nodeAt(root, [0, 7]).children?.push(nodeAt(root, EXTENSIONS)),
  ],
  [
    "a field behind the extensions",
    (root) => void nodeAt(root, [0]).children?.push(nodeAt(root, VALIDITY)),
  ],
  ["a field behind the signature", (root) => void root.children?.push(nodeAt(root, [0, 1]))],
  ["no key", (root) => void nodeAt(root, [0]).children?.splice(6, 2)],
];

test("what our own authority writes is well formed", () => {
  verifyCertificateForm(certificate);
  verifyCertificateForm(new X509Certificate(mesh.rootPem).raw);
  verifyCertificateForm(writeTree(parseTree(certificate)));
});

for (const [what, change] of faults) {
  test(`refuses ${what}`, () => {
    const tree = parseTree(certificate);
    change(tree);
    assert.throws(() => verifyCertificateForm(writeTree(tree)), InvalidDerError);
  });
}
