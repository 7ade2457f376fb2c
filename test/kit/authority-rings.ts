/** Rings of authorities in folders of their own, and the steps between them, for tests. */
import assert from "node:assert/strict";
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type OpenedAuthorityRing, openAuthorityRing } from "../../src/ca/authority-ring.ts";
import type { CertificateAuthority } from "../../src/ca/certificate-authority.ts";
import type { PluggedAuthority } from "../../src/ca/plugged-authority.ts";
import type { AuthorityStatus, RotationRefusal } from "../../src/ca/rotation.ts";
import { createSelfSignedAuthority } from "../../src/ca/self-signed-authority.ts";
import { createCertificateRequest } from "../../src/identity/certificate-request.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import { type BuiltCertificate, buildCertificate } from "./certificate-builder.ts";

const DAY_MS = 86_400_000;
export const now: Date = new Date();
export const later = (days: number): Date => new Date(now.getTime() + days * DAY_MS);
const id = parseSpiffeId("spiffe://cluster.local/ns/shop/sa/cart");
const publicKey = createPublicKey(createCertificateRequest().privateKeyPem);

export async function dataDirectory(context: Pick<TestContext, "after">): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-ring-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export const open = (
  directory: string,
  { at = now, plugged }: { readonly at?: Date; readonly plugged?: PluggedAuthority } = {},
): Promise<OpenedAuthorityRing> =>
  openAuthorityRing({
    directory,
    trustDomain: "cluster.local",
    clock: { now: () => at },
    lifetimeMs: 10 * DAY_MS,
    ...(plugged === undefined ? {} : { plugged }),
  });

export const plugged = (
  { root, signing }: { readonly root: BuiltCertificate; readonly signing: BuiltCertificate },
  more: Partial<PluggedAuthority> = {},
): PluggedAuthority => ({
  certificatePem: signing.pem,
  privateKey: signing.privateKey,
  intermediatesPem: signing === root ? [] : [signing.pem],
  rootsPem: [root.pem],
  crlsPem: [],
  ...more,
});

/** An intermediate below the root. */
export function intermediate(root: BuiltCertificate, serialNumber: string): BuiltCertificate {
  const subject = { organization: "Company Inc.", commonName: `Intermediate ${serialNumber}` };
  return buildCertificate({ subject, issuer: root, serialNumber, notAfter: later(5) });
}

export function taken(outcome: AuthorityStatus | RotationRefusal): AuthorityStatus {
  assert.ok(!("refused" in outcome), JSON.stringify(outcome));
  return outcome;
}

export async function assertRefused(
  outcome: Promise<AuthorityStatus | RotationRefusal>,
  words: RegExp,
): Promise<void> {
  const settled = await outcome;
  assert.ok("refused" in settled, JSON.stringify(settled));
  assert.match(settled.refused, words);
}

export const take = async (
  ring: OpenedAuthorityRing,
  ...steps: readonly ("prepare" | "activate" | "taint" | "revoke" | "rollback")[]
): Promise<void> => {
  for (const step of steps) {
    if (step === "prepare") taken(await ring.prepare("self-signed"));
    else taken(await ring.take(step, { forced: false }));
  }
};

export const states = (ring: OpenedAuthorityRing): string =>
  ring
    .status()
    .map(({ state }) => state)
    .join(", ");

export const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
export const foldersOf = async (directory: string): Promise<string[]> =>
  (await readdir(join(directory, "ca", "authorities"))).sort();

export function leafChain(authority: CertificateAuthority, at: Date = now): X509Certificate[] {
  const { chainPem } = authority.issue({ publicKey, id, lifetimeMs: DAY_MS, now: at });
  return chainPem.map((pem) => new X509Certificate(pem));
}

export const certificates = (list: readonly string[]): X509Certificate[] =>
  list.map((pem) => new X509Certificate(pem));

export async function writeEarlierLayout(directory: string): Promise<X509Certificate> {
  const made = createSelfSignedAuthority({ trustDomain: "cluster.local", now });
  await mkdir(join(directory, "ca"), { mode: 0o700 });
  await writeFile(join(directory, "ca", "ca-key.pem"), made.privateKeyPem, { mode: 0o600 });
  for (const name of ["ca-cert.pem", "root-cert.pem"])
    await writeFile(join(directory, "ca", name), made.certificatePem);
  return new X509Certificate(made.certificatePem);
}
