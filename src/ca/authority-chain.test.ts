import assert from "node:assert/strict";
import type { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { endOfChain, findChain } from "./authority-chain.ts";

/** In whole seconds, as certificates count. */
const start = Math.floor(Date.now() / 1000) * 1000;
const inDays = (days: number): Date => new Date(start + days * 86_400_000);
const named = (commonName: string) => ({ subject: { organization: "Company Inc.", commonName } });

const root = buildCertificate({ ...named("Root"), notAfter: inDays(30) });
const renewedRoot = buildCertificate({
  ...named("Root"),
  keys: root,
  serialNumber: "09",
  notAfter: inDays(300),
});
const upper = buildCertificate({ ...named("Upper"), issuer: root, notAfter: inDays(200) });
const lower = buildCertificate({ ...named("Lower"), issuer: upper, notAfter: inDays(100) });
const foreign = buildCertificate(named("Foreign"));
/** The name of the root, another key. */
const impostor = buildCertificate({ ...named("Root"), keyIdentifiers: false });

const plain = (...list: readonly { certificate: X509Certificate }[]) =>
  list.map(({ certificate }) => certificate);

function names(above: {
  intermediates: { certificate: X509Certificate }[];
  roots: { certificate: X509Certificate }[];
}): readonly string[] | undefined {
  const { intermediates, roots } = above;
  const lists = { intermediates: plain(...intermediates), roots: plain(...roots) };
  return findChain(lower.certificate, lists)?.map(
    ({ subject }) => /CN=(.*)/.exec(subject)?.[1] ?? "",
  );
}

test("CA-45: the chain is found in any order, among others", () => {
  const intermediates = [foreign, root, upper, lower];
  assert.deepEqual(names({ intermediates, roots: [foreign, root] }), ["Lower", "Upper", "Root"]);
});

const unreached: [what: string, above: Parameters<typeof names>[0]][] = [
  ["a missing intermediate", { intermediates: [], roots: [root] }],
  ["a missing root", { intermediates: [upper, root], roots: [foreign] }],
  ["a root of that name with another key", { intermediates: [upper], roots: [impostor] }],
  ["an intermediate that is given as a root", { intermediates: [upper], roots: [upper] }],
];
for (const [what, above] of unreached) {
  test(`CA-45: no chain: ${what}`, () => assert.equal(names(above), undefined));
}

test("of a root and its renewal with the same key, the one that lives longer is taken, in any order", () => {
  for (const roots of [
    [root, renewedRoot],
    [renewedRoot, root],
  ]) {
    const lists = { intermediates: plain(upper), roots: plain(...roots) };
    const chain = findChain(lower.certificate, lists) ?? [];
    assert.deepEqual(endOfChain(chain), { at: inDays(100), of: lower.certificate });
    assert.equal(chain.at(-1)?.serialNumber, "09");
  }
});

test("a chain ends with the first of its certificates that ends", () => {
  const chain = plain(lower, upper, root);
  assert.deepEqual(endOfChain(chain), { at: inDays(30), of: root.certificate });
});
