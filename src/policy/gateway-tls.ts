/** `tls` of a gateway's server, with what its Secrets hold; or why it cannot be served. */
import type { ServerTlsSettings } from "../api/gateway.ts";
import { quoted } from "../api/quoted.ts";
import type { Secret } from "../api/secret.ts";
import { shortList } from "../api/short-list.ts";
import type {
  CallerDemands,
  ClientTrust,
  GatewayTls,
  ServerCertificate,
  TlsVersion,
} from "./gateway-view.ts";
import {
  type AuthoritiesOfSecret,
  authoritiesOf,
  serverCertificate,
  UnfitSecretError,
} from "./server-certificates.ts";

/** @returns a text: why the gateway may not have it, or that it is not there */
export type SecretLookup = (name: string) => Secret | string;

const TERMINATING = ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"];
const CA_SUFFIX = "-cacert";

export function gatewayTls(settings: ServerTlsSettings, secretNamed: SecretLookup): GatewayTls {
  const { mode, cipherSuites, ecdhCurves } = settings;
  const versions = {
    minVersion: versionOf(settings.minProtocolVersion, "TLSv1.2"),
    maxVersion: versionOf(settings.maxProtocolVersion, "TLSv1.3"),
  };
  const base = { mode, ...versions, cipherSuites: knownSuites(cipherSuites), ecdhCurves };
  if (mode === "ISTIO_MUTUAL") return { ...base, certificates: [], ...ofTheMesh(settings) };
  if (!TERMINATING.includes(mode)) return { ...base, certificates: [] };
  try {
    const certificates = certificatesOf(settings, secretNamed);
    const clientTrust = mode === "SIMPLE" ? undefined : clientTrustOf(settings, secretNamed);
    return { ...base, certificates, ...(clientTrust && { clientTrust }) };
  } catch (error) {
    if (!(error instanceof UnfitSecretError)) throw error;
    return { ...base, certificates: [], problem: error.message };
  }
}

/** Its certificates are the mesh's, and so are their revocation lists; a list in a file would go unread. */
function ofTheMesh({
  files,
  ...settings
}: ServerTlsSettings): Pick<GatewayTls, "callers" | "problem"> {
  if (files.length > 0) {
    const named = shortList(files.map(quoted));
    return {
      problem: `it names files (${named}), which no gateway here reads in mode ISTIO_MUTUAL`,
    };
  }
  const callers = demandsOf(settings);
  const count = Object.values(callers).reduce((sum, names) => sum + names.length, 0);
  return count === 0 ? {} : { callers };
}

/** Older ones than 1.2 are served by nobody here. */
function versionOf(written: string, usual: TlsVersion): TlsVersion {
  if (written === "TLSV1_3") return "TLSv1.3";
  return written === "" || written === "TLS_AUTO" ? usual : "TLSv1.2";
}

const SUITE = /^[A-Z0-9][A-Z0-9-]+$/;

function knownSuites(written: readonly string[]): readonly string[] {
  return written.filter((suite) => SUITE.test(suite) && suite !== "ALL");
}

function certificatesOf(
  { credentialNames, files }: ServerTlsSettings,
  secretNamed: SecretLookup,
): readonly ServerCertificate[] {
  if (credentialNames.length === 0) {
    throw new UnfitSecretError(
      `its certificate is to be read from files (${shortList(files.map(quoted))}), which no gateway here does yet; put it into a Secret and name that in credentialName`,
    );
  }
  return credentialNames.map((name) => serverCertificate(required(secretNamed(name))));
}

function required(secret: Secret | string): Secret {
  if (typeof secret === "string") throw new UnfitSecretError(secret);
  return secret;
}

function clientTrustOf(settings: ServerTlsSettings, secretNamed: SecretLookup): ClientTrust {
  return { ...clientAuthorities(settings, secretNamed), ...demandsOf(settings) };
}

function demandsOf({
  subjectAltNames,
  verifyCertificateHash,
  verifyCertificateSpki,
}: Omit<ServerTlsSettings, "files">): CallerDemands {
  return {
    subjectAltNames,
    certificateHashes: verifyCertificateHash.map((hash) => hash.replaceAll(":", "").toLowerCase()),
    publicKeyHashes: verifyCertificateSpki,
  };
}

/** Of `NAME-cacert`, where there is one, else of the certificate's own Secret. */
function clientAuthorities(
  { caCredentialName, credentialNames }: ServerTlsSettings,
  secretNamed: SecretLookup,
): AuthoritiesOfSecret {
  if (caCredentialName !== undefined) return authoritiesOf(required(secretNamed(caCredentialName)));
  const [name = ""] = credentialNames;
  const apart = secretNamed(`${name}${CA_SUFFIX}`);
  return authoritiesOf(typeof apart === "string" ? required(secretNamed(name)) : apart);
}
