import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { SidecarCertificates } from "../identity/sidecar-certificates.ts";
import { podNamed } from "./commands/proxy-config.ts";
import { envoySecrets, secretTable } from "./format-secrets.ts";

const now = new Date("2026-11-22T20:00:00.000Z");
const mesh = createThrowawayAuthority({ now });
const svid = mesh.svid("spiffe://cluster.local/ns/production/sa/api", {
  now,
  lifetimeMs: 3_600_000,
});
const certificates: SidecarCertificates = {
  id: svid.id,
  serialNumber: svid.serialNumber,
  notAfter: svid.notAfter.toISOString(),
  issuedAt: svid.issuedAt.toISOString(),
  certificateChainPem: svid.certificateChainPem,
  rootsPem: [mesh.rootPem],
};

test("the table has istioctl's columns, and a row for the certificate and for each root", () => {
  const [head = "", own = "", root = "", ...more] = secretTable(certificates, now);
  assert.equal(
    head.replaceAll(/ {2,}/g, "|"),
    "RESOURCE NAME|TYPE|STATUS|VALID CERT|SERIAL NUMBER|NOT AFTER|NOT BEFORE",
  );
  const serial = svid.serialNumber.toLowerCase().replace(/^0+/, "");
  assert.equal(
    own.replaceAll(/ {2,}/g, "|"),
    `default|Cert Chain|ACTIVE|true|${serial}|2026-11-22T21:00:00Z|2026-11-22T19:58:00Z`,
  );
  assert.match(root, /^ROOTCA +CA +ACTIVE +true +[0-9a-f]+ +20\d\d-/);
  assert.deepEqual(more, []);
  assert.match(secretTable(certificates, new Date("2026-11-23"))[1] ?? "", /ACTIVE +false/);
});

test("before the first certificate the table says so", () => {
  const nothing = { id: null, serialNumber: null, notAfter: null, issuedAt: null };
  const lines = secretTable({ ...nothing, certificateChainPem: null, rootsPem: [] }, now);
  assert.match(lines[1] ?? "", /^default +Cert Chain +WARMING +false$/);
});

test("the JSON is Envoy's: the certificate is the first secret, the roots the second, the key is redacted", () => {
  const text = JSON.stringify(envoySecrets(certificates));
  const { dynamicActiveSecrets: secrets } = JSON.parse(text);
  const pem = (inlineBytes: string): string => Buffer.from(inlineBytes, "base64").toString();
  const { tlsCertificate } = secrets[0].secret;
  assert.equal(secrets[0].name, "default");
  const leaf = new X509Certificate(pem(tlsCertificate.certificateChain.inlineBytes));
  assert.equal(leaf.serialNumber, svid.serialNumber);
  assert.equal(pem(tlsCertificate.privateKey.inlineBytes), "[redacted]");
  assert.equal(secrets[1].name, "ROOTCA");
  const trusted = secrets[1].secret.validationContext.trustedCa.inlineBytes;
  assert.equal(pem(trusted), mesh.rootPem);
  assert.equal(secrets.length, 2);
  assert.match(secrets[0].secret["@type"], /\.tls\.v3\.Secret$/);
});

test("of a sidecar of several processes each has a row and a secret of its own", () => {
  const { rootsPem: _, ...own } = certificates;
  const other = mesh.svid("spiffe://cluster.local/ns/production/sa/api", { now });
  const { certificateChainPem, serialNumber } = other;
  const none = { id: null, serialNumber: null, notAfter: null, issuedAt: null };
  const several: SidecarCertificates = {
    ...certificates,
    processes: [
      { process: 1, ...own },
      { process: 2, ...own, certificateChainPem, serialNumber },
      { process: 3, ...none, certificateChainPem: null },
    ],
  };
  const rows = secretTable(several, now).map((line) => line.split(/ {2,}/));
  assert.deepEqual(
    rows.slice(1, 4).map(([name, , status]) => `${name} ${status}`),
    ["default ACTIVE", "default/2 ACTIVE", "default/3 WARMING"],
  );
  assert.notEqual(rows[1]?.[4], rows[2]?.[4]);
  const { dynamicActiveSecrets: secrets } = JSON.parse(JSON.stringify(envoySecrets(several)));
  const secretNames = secrets.map(({ name }: { readonly name: string }) => name);
  assert.deepEqual(secretNames, ["default", "default/2", "ROOTCA"]);
});

const names: [text: string, pod: string][] = [
  ["api-0", "default/api-0"],
  ["api-0.production", "production/api-0"],
  ["deploy/api", "default/api"],
  ["deployment/api.production", "production/api"],
  ["deployments.apps/api", "default/api"],
  ["statefulset/etcd", "default/etcd"],
  ["pod/api-0", "default/api-0"],
  ["production/api-0", "production/api-0"],
  ["deploy-tool", "default/deploy-tool"],
];
for (const [text, pod] of names) {
  test(`"${text}" means ${pod}`, () => {
    const { namespace, name } = podNamed(text, "default");
    assert.equal(`${namespace}/${name}`, pod);
  });
}
