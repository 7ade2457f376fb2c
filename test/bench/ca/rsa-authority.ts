/** A root as the article makes it: RSA with 4096 bits, by OpenSSL. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** @returns PEM */
export async function makeRsaAuthority(): Promise<{
  certificatePem: string;
  privateKeyPem: string;
}> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-bench-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  try {
    const subject = ["-subj", "/O=cluster.local", "-days", "3650"];
    const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    const parameters = ["req", "-x509", "-newkey", "rsa:4096", "-sha256", "-nodes"];
    const files = ["-keyout", key, "-out", certificate];
    await promisify(execFile)("openssl", [...parameters, ...subject, ...usage, ...files]);
    return {
      certificatePem: await readFile(certificate, "utf8"),
      privateKeyPem: await readFile(key, "utf8"),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
