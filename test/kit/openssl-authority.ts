/** Authorities made by OpenSSL as people make them: a root, intermediates under it, and the four files of each. */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const CA_EXTENSIONS = [
  "basicConstraints=critical,CA:true",
  "keyUsage=critical,keyCertSign,cRLSign",
  "subjectKeyIdentifier=hash",
].join("\n");

/** A folder with `root-cert.pem` and `root-key.pem`. */
export async function makeRoot(folder: string, name: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [key, certificate] = [join(folder, "root-key.pem"), join(folder, "root-cert.pem")];
  const subject = ["-subj", `/O=Example/CN=${name}`];
  const extensions = CA_EXTENSIONS.split("\n").flatMap((one) => ["-addext", one]);
  const out = ["-keyout", key, "-out", certificate];
  openssl("req", "-x509", ...newKey(), "-days", "365", ...subject, ...extensions, ...out);
}

/**
 * Fills `folder` with an intermediate of that root, a file replaced after the other as `cp` does it.
 *
 * @returns subject of the intermediate
 */
export async function makeIntermediate(
  folder: string,
  { root, name }: { readonly root: string; readonly name: string },
): Promise<string> {
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const at = (file: string): string => join(draft, file);
  const request = ["-keyout", at("ca-key.pem"), "-out", at("ca.csr")];
  openssl("req", "-new", ...newKey(), "-subj", `/O=Example/CN=${name}`, ...request);
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

function newKey(): readonly string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"];
}

function openssl(...parameters: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${parameters[0]} failed: ${stderr}`);
}
