/** A folder with the files of an authority that somebody brings, as the article's commands leave them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type BuiltCertificate, buildCertificate } from "./certificate-builder.ts";

export interface AuthorityParts {
  readonly root: BuiltCertificate;
  readonly signing: BuiltCertificate;
}

/** A root and an intermediate below it. */
export function authorityParts(organization = "Company Inc."): AuthorityParts {
  const root = buildCertificate({ subject: { organization, commonName: "Root CA" } });
  const signing = buildCertificate({
    subject: { organization, commonName: "Istio Intermediate CA" },
    issuer: root,
    serialNumber: "02",
    notAfter: new Date(Date.now() + 24 * 3_600_000),
  });
  return { root, signing };
}

/** The four files: the chain holds the root too, as in the article. */
export function authorityFiles({ root, signing }: AuthorityParts): Record<string, string> {
  return {
    "ca-cert.pem": signing.pem,
    "ca-key.pem": signing.keyPem,
    "root-cert.pem": root.pem,
    "cert-chain.pem": signing.pem + root.pem,
  };
}

/** @returns the folder's path; it goes when the test ends */
export async function authorityFolder(
  context: Pick<TestContext, "after">,
  files: Readonly<Record<string, string>> = authorityFiles(authorityParts()),
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-authority-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  await writeFiles(folder, files);
  return folder;
}

export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o600 });
}
