/**
 * A sidecar's certificates as istioctl shows those of Envoy: a table for people, and the JSON on which people's pipelines
 * of `jq`, `base64` and `openssl` are built.
 */
import type { X509Certificate } from "node:crypto";
import { readCertificates } from "../identity/read-certificates.ts";
import type { SidecarCertificates } from "../identity/sidecar-certificates.ts";
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
const SECRET_TYPE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
/** In place of a key, as Envoy has it. */
const REDACTED = base64("[redacted]");

/** A row for the workload's certificate, and one for each root. */
export function secretTable(
  { certificateChainPem, rootsPem }: SidecarCertificates,
  now: Date,
): readonly string[] {
  const own = certificateChainPem === null ? [] : readCertificates(certificateChainPem).slice(0, 1);
  const rows = [
    HEADINGS,
    ...own.map(({ certificate }) => rowOf(["default", "Cert Chain"], certificate, now)),
    ...(own.length === 0 ? [["default", "Cert Chain", "WARMING", "false", "", "", ""]] : []),
    ...rootsPem
      .flatMap((pem) => readCertificates(pem))
      .map(({ certificate }) => rowOf(["ROOTCA", "CA"], certificate, now)),
  ];
  return alignColumns(rows);
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
export function envoySecrets({
  certificateChainPem,
  rootsPem,
  issuedAt,
}: SidecarCertificates): object {
  const lastUpdated = issuedAt ?? undefined;
  const secret = (name: string, content: object): object => ({
    name,
    lastUpdated,
    secret: { "@type": SECRET_TYPE, name, ...content },
  });
  const own = {
    certificateChain: { inlineBytes: base64(certificateChainPem ?? "") },
    privateKey: { inlineBytes: REDACTED },
  };
  const bundle = rootsPem.flatMap((pem) => readCertificates(pem)).map(({ pem }) => pem);
  const roots = { trustedCa: { inlineBytes: base64(bundle.join("")) } };
  return {
    dynamicActiveSecrets: [
      ...(certificateChainPem === null ? [] : [secret("default", { tlsCertificate: own })]),
      secret("ROOTCA", { validationContext: roots }),
    ],
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
