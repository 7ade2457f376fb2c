/** `tls` of a traffic policy: what must and must not stand together (VAL-60..VAL-64). */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { flagIn, isGiven, textIn } from "./written-values.ts";

const CONFIG_MAP = "configmap://";
const FILES = ["clientCertificate", "privateKey", "caCertificates", "caCrl"];

/** What proves the server, which must not be given where nothing is to be proved. */
const PROOFS: ReadonlyMap<string, readonly string[]> = new Map([
  ["SIMPLE", ["caCertificates", "credentialName", "subjectAltNames"]],
  ["MUTUAL", ["caCertificates", "subjectAltNames"]],
]);

/** @param namespace of the resource: a config map must be its own */
export function checkClientTlsSettings(tls: Fields, namespace: string): void {
  const mode = textIn(tls, "mode");
  checkConfigMapCredential(tls, namespace);
  const proofs = flagIn(tls, "insecureSkipVerify") ? (PROOFS.get(mode) ?? []) : [];
  for (const name of proofs.filter((proof) => isGiven(tls, proof))) {
    tls.report(name, `must not be given together with insecureSkipVerify in mode ${mode}`);
  }
  if (PROOFS.has(mode) && isGiven(tls, "credentialName")) checkNoFiles(tls);
  else if (mode === "MUTUAL") checkOwnCertificate(tls);
}

/** VAL-61 */
function checkNoFiles(tls: Fields): void {
  for (const name of FILES.filter((file) => isGiven(tls, file))) {
    tls.report(name, "must not be given together with credentialName");
  }
}

/** VAL-60 */
function checkOwnCertificate(tls: Fields): void {
  for (const name of ["clientCertificate", "privateKey"]) {
    if (!isGiven(tls, name)) tls.report(name, "is missing; mode MUTUAL needs it");
  }
}

/** VAL-64 */
function checkConfigMapCredential(tls: Fields, namespace: string): void {
  const credential = textIn(tls, "credentialName");
  if (!credential.startsWith(CONFIG_MAP)) return;
  const [owner = "", name = ""] = credential.slice(CONFIG_MAP.length).split("/");
  if (owner === "" || name === "") {
    const expected = `expected ${CONFIG_MAP}NAMESPACE/NAME`;
    tls.report("credentialName", `${quoted(credential)} names no config map; ${expected}`);
  } else if (owner !== namespace) {
    tls.report("credentialName", `${quoted(credential)} is in another namespace`);
  }
}
