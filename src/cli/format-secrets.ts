/**
 * A sidecar's certificates as istioctl shows those of Envoy: a table for people, and the JSON on which people's pipelines
 * of `jq`, `base64` and `openssl` are built.
 */
import type { X509Certificate } from "node:crypto";
import { readCertificates } from "../identity/read-certificates.ts";
import type { CertificateInUse, SidecarCertificates } from "../identity/sidecar-certificates.ts";
import { alignColumns } from "./align-columns.ts";

const HEADINGS = [
  "RESOURCE NAME",
  "TYPE",
  "STATUS",
  "VALID CERT",
  "SERIAL NUMBER",
  "NOT AFTER",
  "NOT BEFORE",
];
/** Istio's name of a workload's own certificate. */
const OWN = "default";
const SECRET_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
/** In place of a key, as Envoy has it. */
const REDACTED = base64("[redacted]");

/** A row for the workload's certificate, or for that of each process; and one for each root. */
export function secretTable(certificates: SidecarCertificates, now: Date): readonly string[] {
  const rows = [
    HEADINGS,
    ...ownCertificates(certificates).map(([name, held]) => ownRow(name, held, now)),
    ...certificates.rootsPem
      .flatMap((pem) => readCertificates(pem))
      .map(({ certificate }) => rowOf(["ROOTCA", "CA"], certificate, now)),
  ];
  return alignColumns(rows);
}

/** Of a sidecar of several processes `default`, `default/2` and so on, which Envoy's threads have not. */
function ownCertificates(
  certificates: SidecarCertificates,
): readonly (readonly [name: string, held: CertificateInUse])[] {
  const { processes } = certificates;
  if (processes === undefined) return [[OWN, certificates]];
  return processes.map((held) => [held.process === 1 ? OWN : `${OWN}/${held.process}`, held]);
}

function ownRow(
  name: string,
  { certificateChainPem }: CertificateInUse,
  now: Date,
): readonly string[] {
  const [leaf] = certificateChainPem === null ? [] : readCertificates(certificateChainPem);
  return leaf === undefined
    ? [name, "Cert Chain", "WARMING", "false", "", "", ""]
    : rowOf([name, "Cert Chain"], leaf.certificate, now);
}

function rowOf(
  names: readonly [name: string, type: string],
  { serialNumber, validFrom, validTo }: X509Certificate,
  now: Date,
): readonly string[] {
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  const valid = now >= from && now < to;
  const serial = serialNumber.toLowerCase().replace(/^0+(?=.)/, "");
  return [...names, "ACTIVE", String(valid), serial, secondsOf(to), secondsOf(from)];
}

/** `2026-11-22T19:39:00Z` */
function secondsOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** The part of Envoy's `/config_dump` that istioctl prints. */
export function envoySecrets(certificates: SidecarCertificates): object {
  const own = ownCertificates(certificates).flatMap(([name, held]) => ownSecret(name, held));
  const bundle = certificates.rootsPem
    .flatMap((pem) => readCertificates(pem))
    .map(({ pem }) => pem);
  const trustedCa = { inlineBytes: base64(bundle.join("")) };
  const { issuedAt } = certificates;
  return {
    dynamicActiveSecrets: [
      ...own,
      secret("ROOTCA", issuedAt, { validationContext: { trustedCa } }),
    ],
  };
}

function ownSecret(name: string, { certificateChainPem, issuedAt }: CertificateInUse): object[] {
  if (certificateChainPem === null) return [];
  const tlsCertificate = {
    certificateChain: { inlineBytes: base64(certificateChainPem) },
    privateKey: { inlineBytes: REDACTED },
  };
  return [secret(name, issuedAt, { tlsCertificate })];
}

function secret(name: string, issuedAt: string | null, content: object): object {
  return {
    name,
    lastUpdated: issuedAt ?? undefined,
    secret: { "@type": SECRET_TYPE, name, ...content },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
