/** Where the authority rests: three PEM files in `DIRECTORY/ca`, made on first use (CA-40), checked on every start. */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import {
  createKeyDirectory,
  inspectKeyDirectory,
  readPrivateKeyFile,
  readTextFile,
} from "./key-directory.ts";
import { createSelfSignedAuthority } from "./self-signed-authority.ts";

const ROOT = "root-cert.pem";
const CERTIFICATE = "ca-cert.pem";
const KEY = "ca-key.pem";

/** The authority's files must not be used: expired, not a CA, or not matching one another. */
export class AuthorityRefusedError extends HauberkError {
  readonly code = "HAUBERK_AUTHORITY_REFUSED";
}

/**
 * @param options.directory the mesh's data directory
 * @throws AuthorityRefusedError, KeyDirectoryError when what is there must not be used (CA-44, CA-45)
 */
export async function openAuthority(options: {
  readonly directory: string;
  readonly trustDomain: string;
  readonly now: Date;
  /** Of an authority that is made now. */
  readonly lifetimeMs?: number;
}): Promise<CertificateAuthority> {
  const directory = join(options.directory, "ca");
  if ((await inspectKeyDirectory(directory, [ROOT, CERTIFICATE, KEY])) === "absent")
    await createAuthority(directory, options);
  return loadAuthority(directory, options.now);
}

async function createAuthority(
  directory: string,
  options: Parameters<typeof createSelfSignedAuthority>[0],
): Promise<void> {
  const { certificatePem, privateKeyPem } = createSelfSignedAuthority(options);
  await createKeyDirectory(directory, [
    { name: ROOT, text: certificatePem, mode: 0o644 },
    { name: CERTIFICATE, text: certificatePem, mode: 0o644 },
    { name: KEY, text: privateKeyPem, mode: 0o600 },
  ]);
}

async function loadAuthority(directory: string, now: Date): Promise<CertificateAuthority> {
  const rootPem = await readTextFile(join(directory, ROOT));
  const certificatePem = await readTextFile(join(directory, CERTIFICATE));
  const privateKey = await readPrivateKeyFile(join(directory, KEY));
  try {
    verifyAuthority(new X509Certificate(certificatePem), new X509Certificate(rootPem), now);
    return new CertificateAuthority({
      certificatePem,
      privateKey,
      rootsPem: [rootPem],
      intermediatesPem: certificatePem === rootPem ? [] : [certificatePem],
    });
  } catch (cause) {
    throw new AuthorityRefusedError(`the authority in ${directory} is refused`, { cause });
  }
}

function verifyAuthority(certificate: X509Certificate, root: X509Certificate, now: Date): void {
  if (!root.ca) throw new AuthorityRefusedError(`${ROOT} is not a CA's certificate`);
  for (const { validTo } of [certificate, root]) {
    if (now >= new Date(validTo)) throw new AuthorityRefusedError(`it expired at ${validTo}`);
  }
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey))
    throw new AuthorityRefusedError(`${CERTIFICATE} is not signed by ${ROOT}`);
}
