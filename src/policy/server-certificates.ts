/**
 * Certificates, keys and authorities out of Secrets, for the servers of a gateway, each tried before it is served.
 * Source: `pilot/pkg/credentials/kube/secrets.go`
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Secret } from "../api/secret.ts";
import { formatPem } from "../identity/pem.ts";
import type { ClientTrust, ServerCertificate } from "./gateway-view.ts";

/** What is wrong with a Secret, for people; no value of it is ever repeated. */
export class UnfitSecretError extends Error {}

const CERTIFICATE_KEYS = [
  ["cert", "key"],
  ["tls.crt", "tls.key"],
] as const;
const AUTHORITY_KEYS = [
  ["cacert", "crl"],
  ["ca.crt", "ca.crl"],
] as const;

const certificates = new WeakMap<Secret, ServerCertificate | string>();
const authorities = new WeakMap<Secret, AuthoritiesOfSecret | string>();

/** @throws UnfitSecretError */
export function serverCertificate(secret: Secret): ServerCertificate {
  return remembered(certificates, secret, readServerCertificate);
}

export type AuthoritiesOfSecret = Pick<ClientTrust, "authoritiesPem" | "crlPem">;

/** @throws UnfitSecretError */
export function authoritiesOf(secret: Secret): AuthoritiesOfSecret {
  return remembered(authorities, secret, readAuthorities);
}

/** A Secret of a file that has not changed is read once. */
function remembered<T extends object>(
  known: WeakMap<Secret, T | string>,
  secret: Secret,
  read: (secret: Secret) => T,
): T {
  let found = known.get(secret);
  if (found === undefined) {
    found = orProblem(() => read(secret));
    known.set(secret, found);
  }
  if (typeof found === "string") throw new UnfitSecretError(`${nameOf(secret)} ${found}`);
  return found;
}

function orProblem<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnfitSecretError) return error.message;
    throw error;
  }
}

export function nameOf({ meta }: Secret): string {
  return `Secret ${meta.namespace}/${meta.name}`;
}

function readServerCertificate(secret: Secret): ServerCertificate {
  const found = CERTIFICATE_KEYS.find((names) => names.every((name) => has(secret, name)));
  if (found === undefined) {
    throw new UnfitSecretError("has neither cert and key nor tls.crt and tls.key with content");
  }
  const [certificateKey, privateKey] = found;
  const chain = certificatesIn(secret, certificateKey);
  const { pem: keyPem, key } = keyIn(secret, privateKey);
  const [leaf] = chain;
  if (leaf === undefined || !leaf.checkPrivateKey(key)) {
    throw new UnfitSecretError(`has a ${privateKey} that is not the key of its ${certificateKey}`);
  }
  const { kind, meta } = secret;
  const { namespace, name, source } = meta;
  return {
    origin: { ref: { kind, namespace, name }, source },
    chainPem: chain.map((one) => formatPem("CERTIFICATE", one.raw)).join(""),
    keyPem,
  };
}

function readAuthorities(secret: Secret): AuthoritiesOfSecret {
  const found = AUTHORITY_KEYS.find(([name]) => has(secret, name));
  if (found === undefined) {
    throw new UnfitSecretError("has neither cacert nor ca.crt with content");
  }
  const [authorityKey, crlKey] = found;
  const all = certificatesIn(secret, authorityKey);
  const crlPem = has(secret, crlKey) ? revocationLists(secret, crlKey) : undefined;
  return {
    authoritiesPem: all.map((one) => formatPem("CERTIFICATE", one.raw)).join(""),
    ...(crlPem !== undefined && { crlPem }),
  };
}

function has({ data }: Secret, name: string): boolean {
  return (data.get(name)?.length ?? 0) > 0;
}

function textOf({ data }: Secret, name: string): string {
  return Buffer.from(data.get(name) ?? []).toString("utf8");
}

/** What stands between blocks is nobody's matter, as in OpenSSL. */
const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END [A-Z0-9 ]+-----/g;
const REVOCATION_LIST = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;
/** Of a chain, and of authorities. */
const MOST_CERTIFICATES = 1_000;

function certificatesIn(secret: Secret, name: string): readonly X509Certificate[] {
  const blocks = textOf(secret, name).match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new UnfitSecretError(`has no certificate as PEM in ${name}`);
  if (blocks.length > MOST_CERTIFICATES) {
    throw new UnfitSecretError(`has more than ${MOST_CERTIFICATES} certificates in ${name}`);
  }
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new UnfitSecretError(`has a certificate in ${name} that cannot be read`);
    }
  });
}

function keyIn(secret: Secret, name: string): { readonly pem: string; readonly key: KeyObject } {
  try {
    const key = createPrivateKey(textOf(secret, name));
    return { key, pem: String(key.export({ type: "pkcs8", format: "pem" })) };
  } catch {
    throw new UnfitSecretError(`has no private key as PEM in ${name}, or one that is encrypted`);
  }
}

function revocationLists(secret: Secret, name: string): string {
  const blocks = textOf(secret, name).match(REVOCATION_LIST) ?? [];
  if (blocks.length === 0) {
    throw new UnfitSecretError(`has no revocation list as PEM in ${name}`);
  }
  return `${blocks.join("\n")}\n`;
}
