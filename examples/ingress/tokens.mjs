/**
 * Makes a key, what the gateway is to know of it, and tokens of users in this folder: `alice.jwt`, and some that are refused.
 * Once `users.yaml` is there, everything but /public asks for a token.
 */
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";

const ISSUER = "https://login.example.com";
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const now = Math.floor(Date.now() / 1000);
const alice = { iss: ISSUER, sub: "alice", aud: "shop", exp: now + 86400, groups: ["customers"] };

const write = (name, text) => writeFileSync(new URL(name, import.meta.url), text);
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (claims, key = privateKey) => {
  const signed = `${encoded({ alg: "ES256", kid: "example" })}.${encoded(claims)}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
};

write("alice.jwt", token(alice));
write("expired.jwt", token({ ...alice, exp: now - 3600 }));
write("for-others.jwt", token({ ...alice, aud: "bank" }));
write("forged.jwt", token(alice, stranger));
write("no-customer.jwt", token({ ...alice, groups: [] }));
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "example", alg: "ES256", use: "sig" };
write(
  "users.yaml",
  `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: istio-ingress}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules:
  - issuer: ${ISSUER}
    audiences: [shop]
    jwks: '${JSON.stringify({ keys: [jwk] })}'
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: only-customers, namespace: istio-ingress}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  rules:
  - from: [{source: {requestPrincipals: ["${ISSUER}/*"]}}]
    when: [{key: "request.auth.claims[groups]", values: [customers]}]
  - to: [{operation: {paths: [/public]}}]
`,
);
