/**
 * An X509-SVID out of PEM, as files hold it: chain and key, perhaps in one, by the rules that certificates are read and judged by
 * everywhere. What it is, not whether it is trusted.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { pemBlocks, readPemFile } from "../../src/identity/pem-file.ts";
import { signerProblems } from "../../src/identity/signer-rules.ts";
import type { SpiffeId } from "../../src/identity/spiffe-id.ts";
import { InvalidSvidError, spiffeIdOfLeaf } from "../../src/identity/svid-rules.ts";
import { describeError } from "../../src/runtime/hauberk-error.ts";

const KEY_LABELS = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
const MAX_CHARACTERS = 1_048_576;
const MAX_CERTIFICATES = 10;

export interface ParsedSvid {
  readonly id: SpiffeId;
  /** Leaf first, then those that sign it. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
  readonly privateKey: KeyObject;
}

/**
 * @param pem blocks of other kinds are passed over, so that both may be the same file
 * @throws InvalidSvidError
 */
export function parseSvid(pem: {
  readonly certificates: string;
  readonly privateKey: string;
}): ParsedSvid {
  if (Math.max(pem.certificates.length, pem.privateKey.length) > MAX_CHARACTERS)
    throw new InvalidSvidError(`the PEM is longer than ${MAX_CHARACTERS} characters`);
  const certificates = readCertificates(pem.certificates);
  const privateKey = readKey(pem.privateKey);
  const [leaf, ...signers] = certificates;
  const id = spiffeIdOfLeaf(leaf);
  signers.forEach((signer, authoritiesBelow) => {
    const [problem] = signerProblems(signer, { authoritiesBelow });
    if (problem !== undefined) throw new InvalidSvidError(`a signing certificate ${problem}`);
  });
  if (privateKey === undefined) throw new InvalidSvidError("there is no private key");
  if (!leaf.checkPrivateKey(privateKey))
    throw new InvalidSvidError("the private key is not that of the certificate");
  return { id, certificates, privateKey };
}

function readCertificates(text: string): ParsedSvid["certificates"] {
  const read = attempt("a certificate cannot be read", () =>
    readPemFile(text, "CERTIFICATE").map((der) => new X509Certificate(der)),
  );
  const [leaf, ...signers] = read;
  if (leaf === undefined) throw new InvalidSvidError("there is no certificate");
  if (read.length > MAX_CERTIFICATES) throw new InvalidSvidError("the chain is too long");
  return [leaf, ...signers];
}

function readKey(text: string): KeyObject | undefined {
  return attempt("the private key cannot be read", () => {
    const key = pemBlocks(text).find(({ label }) => KEY_LABELS.includes(label));
    return key && createPrivateKey(key.text);
  });
}

/** A cause is named in words alone: what OpenSSL holds of a key goes no further. */
function attempt<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidSvidError(`${problem}: ${describeError(error)}`);
  }
}
