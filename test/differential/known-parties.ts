/** Who calls, who is called, and who signs: one root and one issuer's key for a whole run. */
import { generateKeyPairSync } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import { STANDARD_LOCATIONS } from "../../src/api/request-authentication.ts";
import type { TokenPayload } from "../../src/policy/traffic.ts";
import type { AppliedTokenRule } from "../../src/policy/workload-view.ts";
import { buildCertificate, ecKeys } from "../kit/certificate-builder.ts";
import { base64url, writtenToken } from "../kit/written-token.ts";
import type { Caller, TokenFlaw, WireToken } from "./question.ts";

export const TRUSTED_ISSUERS: readonly string[] = ["https://i", "https://i/a", "iss"];

const ROOT = buildCertificate();
const CALLERS_KEYS = ecKeys();
const TRUSTED_KEYS = generateKeyPairSync("ec", { namedCurve: "P-256" });
const STRANGERS_KEYS = generateKeyPairSync("ec", { namedCurve: "P-256" });
const JWKS = JSON.stringify({ keys: [TRUSTED_KEYS.publicKey.export({ format: "jwk" })] });

export const ROOT_PEM: string = ROOT.pem;

export interface CertificateAndKey {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export function certificateOf(uris: readonly string[]): CertificateAndKey {
  const { pem, keyPem } = buildCertificate({
    issuer: ROOT,
    keys: CALLERS_KEYS,
    subject: {},
    authority: false,
    usage: ["digitalSignature"],
    extendedUsage: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
    uris,
  });
  return { certificatePem: pem, privateKeyPem: keyPem };
}

const contexts = new Map<string, SecureContext>();

/** For a client's side of TLS; made once for each caller. */
export function contextOf(caller: Exclude<Caller, { readonly kind: "plaintext" }>): SecureContext {
  const key = JSON.stringify(caller);
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const made = createSecureContext(optionsOf(caller));
  contexts.set(key, made);
  return made;
}

function optionsOf(caller: Exclude<Caller, { readonly kind: "plaintext" }>): object {
  if (caller.kind === "nobody") return {};
  const { certificatePem, privateKeyPem } = certificateOf(
    caller.kind === "identity" ? [caller.uri] : caller.uris,
  );
  return { cert: certificatePem, key: privateKeyPem };
}

export const TOKEN_RULES: readonly AppliedTokenRule[] = TRUSTED_ISSUERS.map((issuer, index) => ({
  ref: { kind: "RequestAuthentication", namespace: "production", name: `users-${index}` },
  source: { file: "users.yaml", line: 1 },
  issuer,
  audiences: [],
  jwks: JWKS,
  locations: STANDARD_LOCATIONS,
  presence: "OPTIONAL",
  afterwards: "removed",
  outputClaimToHeaders: [],
  spaceDelimitedClaims: [],
}));

const ES256 = '{"alg":"ES256","typ":"JWT"}';

export function signed({ payload, flaw }: WireToken): string {
  return flaw === undefined ? good(payload) : FLAWED[flaw](payload);
}

const good = (payload: TokenPayload): string =>
  writtenToken(ES256, JSON.stringify(payload), TRUSTED_KEYS.privateKey);
const FLAWED: Readonly<Record<TokenFlaw, (payload: TokenPayload) => string>> = {
  forged: (payload) => writtenToken(ES256, JSON.stringify(payload), STRANGERS_KEYS.privateKey),
  expired: (payload) => good({ ...payload, exp: 1 }),
  unsigned: (payload) => `${base64url('{"alg":"none"}')}.${base64url(JSON.stringify(payload))}.`,
  garbage: () => "no.token",
  stranger: (payload) =>
    writtenToken(
      ES256,
      JSON.stringify({ ...payload, iss: "https://stranger" }),
      STRANGERS_KEYS.privateKey,
    ),
};
