/** `tls` of a Gateway's server and of a Sidecar's ingress listener: certificates, their sources, and ciphers. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { isGiven, textIn, textsIn } from "./written-values.ts";

const CERTIFICATE_FIELDS = [
  "serverCertificate",
  "privateKey",
  "caCertificates",
  "tlsCertificates",
  "credentialName",
  "credentialNames",
];
const VERIFYING_MODES = ["MUTUAL", "OPTIONAL_MUTUAL"];
const TERMINATING_MODES = ["SIMPLE", ...VERIFYING_MODES];
const OLD_VERSIONS = ["TLSV1_0", "TLSV1_1"];
const MOST_CERTIFICATES = 2;

/** What can be told to somebody whose certificate is missing: a Sidecar takes it from files alone. */
export type CertificateSource = "files or credentials" | "files";

export function checkServerTlsSettings(
  tls: Fields,
  source: CertificateSource = "files or credentials",
): void {
  warnOfOldVersion(tls);
  warnOfCipherSuites(tls);
  const mode = textIn(tls, "mode");
  if (mode === "ISTIO_MUTUAL") {
    for (const name of CERTIFICATE_FIELDS.filter((field) => isGiven(tls, field))) {
      tls.report(name, "must not be given in mode ISTIO_MUTUAL: its certificate is the workload's");
    }
    return;
  }
  if (isPassThrough(tls)) warnOfUnusedCertificates(tls);
  checkOneSource(tls);
  const stored = isGiven(tls, "credentialName") || isGiven(tls, "credentialNames");
  // Stored credentials bring all that is needed, and istiod looks no further.
  if (TERMINATING_MODES.includes(mode) && stored) return;
  if (TERMINATING_MODES.includes(mode)) checkCertificates(tls, { mode, source });
  checkRevocationList(tls, mode);
}

/** Whether TLS is not terminated here: so also when nothing is said of the mode. */
export function isPassThrough(tls: Fields): boolean {
  return ["", "PASSTHROUGH", "AUTO_PASSTHROUGH"].includes(textIn(tls, "mode"));
}

function warnOfOldVersion(tls: Fields): void {
  const version = textIn(tls, "minProtocolVersion");
  if (!OLD_VERSIONS.includes(version) || tls.itemCount("cipherSuites") > 0) return;
  tls.notice("minProtocolVersion", `is ${version}, which needs cipherSuites that go with it`);
}

function warnOfCipherSuites(tls: Fields): void {
  const known = new Set<string>();
  for (const [item, suite] of textsIn(tls, "cipherSuites").entries()) {
    const at = { name: "cipherSuites", item };
    if (!isCipherSuite(suite)) tls.notice(at, `${quoted(suite)} is no cipher suite; it is ignored`);
    else if (known.has(suite)) tls.notice(at, `${quoted(suite)} is given twice`);
    else known.add(suite);
  }
}

/** Those that istiod takes without a word. */
export const CIPHER_SUITES: ReadonlySet<string> = new Set([
  "AES128-GCM-SHA256",
  "AES128-SHA",
  "AES256-GCM-SHA384",
  "AES256-SHA",
  "DES-CBC3-SHA",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-SHA",
  "ECDHE-RSA-CHACHA20-POLY1305",
]);

/** What begins with an operator (`-ALL`, `[A|B]`) is BoringSSL's to judge. */
function isCipherSuite(suite: string): boolean {
  return (
    suite === "" || suite === "ALL" || !/^[\p{L}\p{N}]/u.test(suite) || CIPHER_SUITES.has(suite)
  );
}

function warnOfUnusedCertificates(tls: Fields): void {
  for (const name of [...CERTIFICATE_FIELDS, "caCrl"]) {
    if (isGiven(tls, name)) tls.notice(name, "has no effect: TLS passes through to the workload");
  }
}

function checkOneSource(tls: Fields): void {
  const files = isGiven(tls, "serverCertificate") && isGiven(tls, "privateKey");
  const sources = [
    ...(files ? ["serverCertificate"] : []),
    ...["credentialName", "credentialNames", "tlsCertificates"].filter((name) =>
      isGiven(tls, name),
    ),
  ];
  const [first, ...others] = sources;
  for (const name of others) tls.report(name, `must not be given together with ${first}`);
}

function checkCertificates(
  tls: Fields,
  { mode, source }: { readonly mode: string; readonly source: CertificateSource },
): void {
  const instead =
    source === "files" ? "" : ", or credentialName, the Secret that holds all it needs";
  const missing = `is missing; mode ${mode} needs it${instead}`;
  if (VERIFYING_MODES.includes(mode) && !isGiven(tls, "caCertificates")) {
    tls.report("caCertificates", missing);
  }
  const certificates = tls.list("tlsCertificates");
  if (certificates.length > MOST_CERTIFICATES) {
    tls.notice("tlsCertificates", `has ${certificates.length} items; at most 2 are supported`);
  }
  for (const certificate of certificates.length > 0 ? certificates : [tls]) {
    for (const name of ["serverCertificate", "privateKey"]) {
      if (!isGiven(certificate, name)) certificate.report(name, missing);
    }
  }
}

function checkRevocationList(tls: Fields, mode: string): void {
  if (!isGiven(tls, "caCrl")) return;
  if (isGiven(tls, "credentialName")) {
    tls.report("caCrl", "must not be given together with credentialName, which brings its own");
  }
  if (mode === "SIMPLE") tls.report("caCrl", "has no client to check in mode SIMPLE");
}
