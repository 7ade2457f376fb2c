/** The certificates of one TLS origination, read and made ready for handshakes. */
import { createSecureContext, type SecureContext } from "node:tls";
import type { TlsMaterial, TlsOrigination } from "../../policy/tls-origination.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { readRegularFile } from "../../runtime/regular-file.ts";
import { TLS_GROUPS } from "../../runtime/tls-groups.ts";
import { TLS_CIPHERS } from "../tls-context.ts";
import { systemRootsPem } from "./system-roots.ts";

/** Nobody can be called with what is there; the message goes to logs, and holds nothing of a key. */
export class OriginationMaterialError extends HauberkError {
  readonly code = "HAUBERK_ORIGINATION_MATERIAL";
}

/** In PEM. */
export interface OriginationPem {
  readonly ca: string;
  readonly crl?: string;
  readonly cert?: string;
  readonly key?: string;
}

const MAX_BYTES = 1_048_576;

/** @throws OriginationMaterialError naming what is missing */
export async function readOriginationPem(material: TlsMaterial): Promise<OriginationPem> {
  switch (material.from) {
    case "nowhere":
      throw new OriginationMaterialError(material.problem);
    case "secret": {
      const { caPem: ca, crlPem, certificatePem, keyPem } = material;
      return pemOf({ ca, crl: crlPem, cert: certificatePem, key: keyPem });
    }
    case "files": {
      const { caCertificates, caCrl, clientCertificate, privateKey } = material;
      const [ca = "", crl, cert, key] = await Promise.all([
        caCertificates === undefined ? systemRootsPem() : read("caCertificates", caCertificates),
        read("caCrl", caCrl),
        read("clientCertificate", clientCertificate),
        read("privateKey", privateKey),
      ]);
      return pemOf({ ca, crl, cert, key });
    }
  }
}

/** TLS-36 @throws OriginationMaterialError where they do not go together */
export function originationContext(
  { mode, verification }: TlsOrigination,
  { ca, crl, cert, key }: OriginationPem,
): SecureContext {
  if (mode === "MUTUAL" && (cert === undefined || key === undefined)) {
    throw new OriginationMaterialError("there is no client certificate, which mode MUTUAL needs");
  }
  try {
    return createSecureContext({
      ...(verification === "nothing" ? {} : { ca: authoritiesIn(ca), ...(crl && { crl }) }),
      ...(mode === "MUTUAL" && { cert, key }),
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      ciphers: TLS_CIPHERS,
      ecdhCurve: TLS_GROUPS,
    });
  } catch (cause) {
    if (cause instanceof OriginationMaterialError) throw cause;
    const problem = `the certificates cannot be used: ${describeError(cause)}`;
    throw new OriginationMaterialError(problem, { cause });
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** OpenSSL would trust nobody in a text without any, and say nothing. */
function authoritiesIn(pem: string): string[] {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    throw new OriginationMaterialError("there is no certificate among the trusted authorities");
  }
  return found;
}

function pemOf(parts: { readonly [name in keyof OriginationPem]: string | undefined }) {
  const { ca = "", crl, cert, key } = parts;
  return {
    ca,
    ...(crl !== undefined && { crl }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

async function read(field: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const { bytes } = await readRegularFile(path, { maxBytes: MAX_BYTES, links: "followed" });
    return bytes.toString("utf8");
  } catch (cause) {
    const problem = `${field} ${path} cannot be read: ${describeError(cause)}`;
    throw new OriginationMaterialError(problem, { cause });
  }
}
