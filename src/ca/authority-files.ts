/** The files of one authority, under the names that Istio gives them (CA-40, CA-43). */
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { formatPem, readPem } from "../identity/pem.ts";
import {
  inspectKeyDirectory,
  KeyDirectoryError,
  type KeyDirectoryFile,
  listFiles,
  MAX_FILE_BYTES,
  readPrivateKeyFile,
  readTextFile,
} from "./key-directory.ts";
import type { PluggedAuthority } from "./plugged-authority.ts";

const CERTIFICATE = "ca-cert.pem";
const KEY = "ca-key.pem";
const ROOTS = "root-cert.pem";
/** Empty when the signing certificate is a root. */
const CHAIN = "cert-chain.pem";
/** Only where there are any. */
const LISTS = "ca-crl.pem";

export function writtenFiles(authority: PluggedAuthority): readonly KeyDirectoryFile[] {
  const key = authority.privateKey.export({ type: "pkcs8", format: "pem" });
  const lists = authority.crlsPem.join("");
  return [
    { name: CERTIFICATE, text: authority.certificatePem, mode: 0o644 },
    { name: ROOTS, text: authority.rootsPem.join(""), mode: 0o644 },
    { name: CHAIN, text: authority.intermediatesPem.join(""), mode: 0o644 },
    ...(lists === "" ? [] : [{ name: LISTS, text: lists, mode: 0o644 } as const]),
    { name: KEY, text: key.toString(), mode: 0o600 },
  ];
}

/** @throws KeyDirectoryError when a file is missing or cannot be read, or the key is open to others */
export async function readAuthorityFiles(folder: string): Promise<PluggedAuthority> {
  const state = await inspectKeyDirectory(folder, [CERTIFICATE, KEY, ROOTS, CHAIN]);
  if (state === "absent") throw new KeyDirectoryError(`${folder} is missing`);
  const names = await listFiles(folder);
  const chain = await readTextFile(join(folder, CHAIN));
  return {
    ...(await readEarlierFiles(folder)),
    intermediatesPem: chain.trim() === "" ? [] : blocks(chain, "CERTIFICATE", join(folder, CHAIN)),
    crlsPem: names.includes(LISTS) ? await readBlocks(join(folder, LISTS), "X509 CRL") : [],
  };
}

/**
 * The three files that the first versions had.
 *
 * @throws KeyDirectoryError
 */
export async function readEarlierFiles(folder: string): Promise<PluggedAuthority> {
  const privateKey = await readPrivateKeyFile(join(folder, KEY));
  const [certificatePem = ""] = await readBlocks(join(folder, CERTIFICATE), "CERTIFICATE");
  const rootsPem = await readBlocks(join(folder, ROOTS), "CERTIFICATE");
  return { certificatePem, privateKey, intermediatesPem: [], rootsPem, crlsPem: [] };
}

async function readBlocks(path: string, label: "CERTIFICATE" | "X509 CRL"): Promise<string[]> {
  return blocks(await readTextFile(path), label, path);
}

function blocks(text: string, label: "CERTIFICATE" | "X509 CRL", path: string): string[] {
  try {
    const ders = readPem(text, { labels: [label], maxCharacters: MAX_FILE_BYTES });
    return ders.map((der) =>
      label === "CERTIFICATE" ? new X509Certificate(der).toString() : formatPem(label, der),
    );
  } catch (cause) {
    throw new KeyDirectoryError(`${path} cannot be read as PEM`, { cause });
  }
}
