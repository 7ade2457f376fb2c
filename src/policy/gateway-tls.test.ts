import assert from "node:assert/strict";
import { test } from "node:test";
import {
  buildCertificate,
  buildRevocationList,
  ecKeys,
} from "../../test/kit/certificate-builder.ts";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import type { GatewayTls } from "./gateway-view.ts";

const authority = buildCertificate();
const server = buildCertificate({
  issuer: authority,
  authority: false,
  dnsNames: ["web.example.com"],
});
const other = buildCertificate({ issuer: authority, authority: false, keys: ecKeys("P-384") });
const crl = buildRevocationList(authority);

const secret = (
  data: Readonly<Record<string, string>>,
  { name = "cert", namespace = "istio-ingress" } = {},
): string =>
  `\n---\n${JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, stringData: data })}`;

const tlsOf = (settings: string, secrets: string): GatewayTls => {
  const gateway = `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {istio: ingress}, servers: [{port: {number: 443, name: https, protocol: HTTPS}, hosts: [web.example.com], tls: {${settings}}}]}`;
  const snapshot = snapshotOf(openGateway + gateway + secrets);
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, "istio-ingress/ingress-0"));
  return view.gateway?.listeners[0]?.servers[0]?.tls ?? assert.fail("no TLS");
};

const CHAIN = server.pem + authority.pem;
const NAMED = "credentialName: cert";
const TLS = { "tls.crt": CHAIN, "tls.key": server.keyPem };
const GENERIC = { cert: CHAIN, key: server.keyPem };

for (const [form, data] of Object.entries({ "kubernetes.io/tls": TLS, generic: GENERIC })) {
  test(`a Secret of the form ${form} gives its chain and its key`, () => {
    const { certificates, problem } = tlsOf(`mode: SIMPLE, ${NAMED}`, secret(data));
    assert.equal(problem, undefined);
    const [only] = certificates;
    assert.equal(only?.chainPem, CHAIN);
    assert.equal(only.keyPem, server.keyPem);
    assert.equal(only.origin.ref.name, "cert");
  });
}

test("text around certificates, as OpenSSL prints it, is nobody's matter", () => {
  const described = {
    ...TLS,
    "tls.crt": `Certificate:\n  Data: 1\n${CHAIN.replaceAll("\n", "\r\n")}`,
  };
  assert.equal(tlsOf(`mode: SIMPLE, ${NAMED}`, secret(described)).certificates[0]?.chainPem, CHAIN);
});

test("two certificates, of different keys", () => {
  const both =
    secret(TLS) + secret({ "tls.crt": other.pem, "tls.key": other.keyPem }, { name: "p384" });
  const { certificates } = tlsOf("mode: SIMPLE, credentialNames: [cert, p384]", both);
  assert.deepEqual(
    certificates.map(({ origin }) => origin.ref.name),
    ["cert", "p384"],
  );
});

const MUTUAL = `mode: MUTUAL, ${NAMED}`;
const trusts: [what: string, secrets: string, crl: string | undefined][] = [
  ["ca.crt beside the certificate", secret({ ...TLS, "ca.crt": authority.pem }), undefined],
  ["cacert beside the certificate", secret({ ...GENERIC, cacert: authority.pem, crl }), crl],
  ["ca.crl", secret({ ...TLS, "ca.crt": authority.pem, "ca.crl": crl }), crl],
  [
    "a Secret of its own",
    secret(TLS) + secret({ "ca.crt": authority.pem }, { name: "cert-cacert" }),
    undefined,
  ],
  [
    "one that is named",
    secret(TLS) + secret({ cacert: authority.pem }, { name: "ours" }),
    undefined,
  ],
];
for (const [what, secrets, crlPem] of trusts) {
  test(`MUTUAL: authorities of clients out of ${what}`, () => {
    const more = what === "one that is named" ? ", caCertCredentialName: ours" : "";
    const { clientTrust, problem } = tlsOf(MUTUAL + more, secrets);
    assert.equal(problem, undefined);
    assert.equal(clientTrust?.authoritiesPem, authority.pem);
    assert.equal(clientTrust.crlPem?.trim(), crlPem?.trim());
  });
}

test("what a client's certificate must be, as compared", () => {
  const { clientTrust, minVersion, maxVersion, cipherSuites } = tlsOf(
    `${MUTUAL}, subjectAltNames: [a], verifyCertificateHash: ["AB:CD"], minProtocolVersion: TLSV1_3, cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256, "-ALL"]`,
    secret({ ...TLS, "ca.crt": authority.pem }),
  );
  assert.deepEqual(clientTrust?.subjectAltNames, ["a"]);
  assert.deepEqual(clientTrust.certificateHashes, ["abcd"]);
  assert.deepEqual([minVersion, maxVersion], ["TLSv1.3", "TLSv1.3"]);
  assert.deepEqual(cipherSuites, ["ECDHE-RSA-AES128-GCM-SHA256"]);
});

const unfit: [what: string, settings: string, secrets: string, problem: RegExp][] = [
  ["is not there", `mode: SIMPLE, ${NAMED}`, "", /^Secret istio-ingress\/cert is not there$/],
  [
    "is of the Gateway's namespace, and not of its pods'",
    `mode: SIMPLE, ${NAMED}`,
    secret(TLS, { namespace: "shop" }),
    /^Secret istio-ingress\/cert is not there$/,
  ],
  [
    "is of another namespace by name",
    "mode: SIMPLE, credentialName: kubernetes://shop/cert",
    secret(TLS, { namespace: "shop" }),
    /is of another namespace than the gateway's pods, istio-ingress$/,
  ],
  ["has no key", `mode: SIMPLE, ${NAMED}`, secret({ cert: CHAIN }), /has neither cert and key nor/],
  ["has an empty key", `mode: SIMPLE, ${NAMED}`, secret({ cert: CHAIN, key: "" }), /has neither/],
  [
    "has another's key",
    `mode: SIMPLE, ${NAMED}`,
    secret({ cert: CHAIN, key: other.keyPem }),
    /has a key that is not the key of its cert$/,
  ],
  [
    "has no certificate in it",
    `mode: SIMPLE, ${NAMED}`,
    secret({ ...GENERIC, cert: "x" }),
    /has no certificate as PEM in cert$/,
  ],
  [
    "has a broken certificate",
    `mode: SIMPLE, ${NAMED}`,
    secret({ ...GENERIC, cert: CHAIN.replace("MII", "AII") }),
    /that cannot be read$/,
  ],
  [
    "has no key in it",
    `mode: SIMPLE, ${NAMED}`,
    secret({ ...GENERIC, key: "secret words" }),
    /has no private key as PEM in key, or one that is encrypted$/,
  ],
  ["has no authority", MUTUAL, secret(TLS), /has neither cacert nor ca\.crt with content$/],
  [
    "has no authority that can be read",
    MUTUAL,
    secret({ ...GENERIC, cacert: "invalid" }),
    /has no certificate as PEM in cacert$/,
  ],
  [
    "has no revocation list in it",
    MUTUAL,
    secret({ ...GENERIC, cacert: authority.pem, crl: "x" }),
    /has no revocation list as PEM in crl$/,
  ],
  [
    "is to be files",
    "mode: SIMPLE, serverCertificate: /a, privateKey: /b",
    "",
    /is to be read from files \("\/a", "\/b"\)/,
  ],
];
for (const [what, settings, secrets, problem] of unfit) {
  test(`a Secret that ${what}: no handshake is served, and nothing of it is told`, () => {
    const tls = tlsOf(settings, secrets);
    assert.match(tls.problem ?? "", problem);
    assert.deepEqual([tls.certificates, tls.clientTrust], [[], undefined]);
    assert.doesNotMatch(tls.problem ?? "", /secret words|BEGIN/);
  });
}

for (const mode of ["PASSTHROUGH", "ISTIO_MUTUAL"]) {
  test(`${mode} needs no Secret`, () => {
    const { certificates, problem } = tlsOf(`mode: ${mode}`, "");
    assert.deepEqual([certificates, problem], [[], undefined]);
  });
}

test("ISTIO_MUTUAL: what callers of the mesh must have besides; a list in a file serves nobody", () => {
  const { callers } = tlsOf(
    'mode: ISTIO_MUTUAL, subjectAltNames: [spiffe://a/b], verifyCertificateHash: ["AB:CD"]',
    "",
  );
  assert.deepEqual(callers, {
    subjectAltNames: ["spiffe://a/b"],
    certificateHashes: ["abcd"],
    publicKeyHashes: [],
  });
  assert.equal(tlsOf("mode: ISTIO_MUTUAL", "").callers, undefined);
  const unread = tlsOf("mode: ISTIO_MUTUAL, caCrl: /crl.pem", "");
  assert.match(
    unread.problem ?? "",
    /^it names files \("\/crl\.pem"\), which no gateway here reads/,
  );
});
