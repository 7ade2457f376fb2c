/**
 * Certificates for all that is measured: ECDSA P-256 everywhere. Ours and Envoy's are of the mesh's own authority; nginx
 * and HAProxy, which know their peers by name and not by URI, have theirs of OpenSSL.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { X509Svid } from "../../../src/identity/x509-svid.ts";
import { idOf } from "../../kit/sidecar-fixture.ts";
import {
  createThrowawayAuthority,
  type ThrowawayAuthority,
} from "../../kit/throwaway-authority.ts";
import type { ClientFiles } from "./proxy-side.ts";

/** Certificate and key in one file too, as HAProxy wants them. */
export interface CertificateFiles extends ClientFiles {
  readonly both: string;
}

/** What nginx and HAProxy call who calls, and who is called. */
export const CALLER_NAME = "frontend";
export const CALLEE_NAME = "api.production.svc.cluster.local";

export interface BenchCertificates {
  readonly mesh: ThrowawayAuthority;
  /** Of the mesh's authority: `spiffe://cluster.local/ns/production/sa/...` */
  readonly identities: Readonly<Record<"frontend" | "api", CertificateFiles>>;
  /** Of OpenSSL's: by common name and DNS name. */
  readonly names: Readonly<Record<"frontend" | "api", CertificateFiles>>;
}

export function makeCertificates(folder: string): BenchCertificates {
  const mesh = createThrowawayAuthority();
  const root = join(folder, "mesh-root.pem");
  writeFileSync(root, mesh.rootPem);
  const identity = (name: string): CertificateFiles => {
    const svid = mesh.svid(idOf(name));
    return writeSvid(join(folder, `mesh-${name}`), root, svid);
  };
  return {
    mesh,
    identities: { frontend: identity("frontend"), api: identity("api") },
    names: namedCertificates(join(folder, "openssl")),
  };
}

function writeSvid(
  base: string,
  root: string,
  { certificateChainPem, privateKeyPem }: X509Svid,
): CertificateFiles {
  const files = { certificate: `${base}.pem`, key: `${base}-key.pem`, both: `${base}-both.pem` };
  writeFileSync(files.certificate, certificateChainPem);
  writeFileSync(files.key, privateKeyPem, { mode: 0o600 });
  writeFileSync(files.both, certificateChainPem + privateKeyPem, { mode: 0o600 });
  return { ...files, root };
}

function namedCertificates(folder: string): Record<"frontend" | "api", CertificateFiles> {
  mkdirSync(folder);
  const root = join(folder, "root.pem");
  const rootKey = join(folder, "root-key.pem");
  const ofRoot = ["-subj", "/CN=root", "-keyout", rootKey, "-out", root];
  openssl("req", "-x509", ...NEW_KEY, "-days", "30", ...ofRoot);
  const leaf = (name: string, commonName: string): CertificateFiles => {
    const at = (end: string): string => join(folder, `${name}${end}`);
    const extensions = `subjectAltName=DNS:${commonName}\nextendedKeyUsage=serverAuth,clientAuth\n`;
    writeFileSync(at(".ext"), extensions);
    const request = ["-keyout", at("-key.pem"), "-out", at(".csr")];
    openssl("req", "-new", ...NEW_KEY, "-subj", `/CN=${commonName}`, ...request);
    const signer = ["-CA", root, "-CAkey", rootKey, "-CAcreateserial", "-extfile", at(".ext")];
    openssl("x509", "-req", "-in", at(".csr"), ...signer, "-days", "30", "-out", at(".pem"));
    openssl("x509", "-in", at(".pem"), "-out", at("-both.pem"));
    const key = openssl("pkey", "-in", at("-key.pem"));
    writeFileSync(at("-both.pem"), key, { flag: "a" });
    return { certificate: at(".pem"), key: at("-key.pem"), both: at("-both.pem"), root };
  };
  return { frontend: leaf("frontend", CALLER_NAME), api: leaf("api", CALLEE_NAME) };
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

function openssl(...parameters: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("openssl", parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${parameters[0]}: ${stderr}`);
  return stdout;
}
