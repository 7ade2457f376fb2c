/**
 * Authorities made by OpenSSL as people make them: a root, intermediates under it, the four files of each, and their
 * revocation lists.
 */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const CA_EXTENSIONS = [
  "basicConstraints=critical,CA:true",
  "keyUsage=critical,keyCertSign,cRLSign",
  "subjectKeyIdentifier=hash",
].join("\n");

export type KeyKind = "P-256" | "P-384" | "RSA 2048";

/** A folder with `root-cert.pem` and `root-key.pem`. */
export async function makeRoot(folder: string, name: string, kind?: KeyKind): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [key, certificate] = [join(folder, "root-key.pem"), join(folder, "root-cert.pem")];
  const subject = ["-subj", `/O=Example/CN=${name}`];
  const extensions = CA_EXTENSIONS.split("\n").flatMap((one) => ["-addext", one]);
  const out = ["-keyout", key, "-out", certificate];
  openssl("req", "-x509", ...newKey(kind), "-days", "365", ...subject, ...extensions, ...out);
}

/**
 * Fills `folder` with an intermediate of that root, a file replaced after the other as `cp` does it.
 *
 * @returns subject of the intermediate
 */
export async function makeIntermediate(
  folder: string,
  { root, name, kind }: { readonly root: string; readonly name: string; readonly kind?: KeyKind },
): Promise<string> {
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const at = (file: string): string => join(draft, file);
  const request = ["-keyout", at("ca-key.pem"), "-out", at("ca.csr")];
  openssl("req", "-new", ...newKey(kind), "-subj", `/O=Example/CN=${name}`, ...request);
  const extensions = `${CA_EXTENSIONS}\nauthorityKeyIdentifier=keyid:always\n`;
  await writeFile(at("ca.ext"), extensions);
  const signer = ["-CA", join(root, "root-cert.pem"), "-CAkey", join(root, "root-key.pem")];
  const out = ["-extfile", at("ca.ext"), "-days", "300", "-out", at("ca-cert.pem")];
  openssl("x509", "-req", "-in", at("ca.csr"), ...signer, "-CAcreateserial", ...out);
  await copyFile(join(root, "root-cert.pem"), at("root-cert.pem"));
  await copyFile(at("ca-cert.pem"), at("cert-chain.pem"));
  await mkdir(folder, { recursive: true });
  for (const file of ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"])
    await rename(at(file), join(folder, file));
  return `O=Example, CN=${name}`;
}

/** An authority's certificate and key, as files. */
export interface AuthorityPaths {
  readonly certificate: string;
  readonly key: string;
}

export const rootPaths = (folder: string): AuthorityPaths => ({
  certificate: join(folder, "root-cert.pem"),
  key: join(folder, "root-key.pem"),
});
export const signingPaths = (folder: string): AuthorityPaths => ({
  certificate: join(folder, "ca-cert.pem"),
  key: join(folder, "ca-key.pem"),
});

/**
 * A revocation list by `openssl ca -gencrl`.
 *
 * @param options.folder for its database; made anew
 * @param options.revoked files of certificates that the authority signed
 * @returns PEM
 */
export async function makeRevocationList(
  { certificate, key }: AuthorityPaths,
  { folder, revoked = [] }: { readonly folder: string; readonly revoked?: readonly string[] },
): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const at = (file: string): string => join(folder, file);
  const settings = `
[ca]
default_ca = here
[here]
database = ${at("index.txt")}
crlnumber = ${at("crlnumber")}
default_md = sha256
default_crl_days = 30
crl_extensions = list
[list]
authorityKeyIdentifier = keyid:always
`;
  await writeFile(at("ca.cnf"), settings);
  await writeFile(at("index.txt"), "");
  await writeFile(at("crlnumber"), "01\n");
  const signer = ["-config", at("ca.cnf"), "-cert", certificate, "-keyfile", key];
  for (const file of revoked) openssl("ca", ...signer, "-revoke", file);
  openssl("ca", ...signer, "-gencrl", "-out", at("list.pem"));
  return readFile(at("list.pem"), "utf8");
}

function newKey(kind: KeyKind = "P-256"): readonly string[] {
  const key =
    kind === "RSA 2048"
      ? ["-newkey", "rsa:2048"]
      : ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${kind}`];
  return [...key, "-nodes", "-sha256"];
}

function openssl(...parameters: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${parameters[0]} failed: ${stderr}`);
}
