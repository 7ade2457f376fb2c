/** `proxy-config secret` of an Envoy's dump: the certificates that it has, and the roots that it trusts. */
import type { X509Certificate } from "node:crypto";
import type { DumpPart } from "../../envoy/config-dump.ts";
import { readCertificates } from "../../identity/read-certificates.ts";
import type { SummaryOptions } from "./summary-options.ts";
import { tabColumns } from "./tab-columns.ts";

const PADDING = 5;
const SERIAL_DIGITS = 32;
const HEADINGS = [
  "RESOURCE NAME",
  "TYPE",
  "STATUS",
  "VALID CERT",
  "SERIAL NUMBER",
  "NOT AFTER",
  "NOT BEFORE",
];

interface InlineBytes {
  readonly inlineBytes?: string;
}

/** The part of a dynamic secret that is read. */
interface DumpedSecret {
  readonly name?: string;
  readonly versionInfo?: string;
  readonly secret?: {
    readonly tlsCertificate?: { readonly certificateChain?: InlineBytes };
    readonly validationContext?: {
      readonly trustedCa?: InlineBytes;
      readonly customValidatorConfig?: {
        readonly typedConfig?: {
          readonly trustDomains?: readonly {
            readonly name?: string;
            readonly trustBundle?: InlineBytes;
          }[];
        };
      };
    };
  };
}

interface SecretRow {
  readonly cells: readonly string[];
  /** "" where nothing says it. */
  readonly trustDomain: string;
}

/** @param secrets a SecretsConfigDump */
export function secretSummary(
  secrets: DumpPart,
  { now, kinds }: Pick<SummaryOptions, "kinds"> & { readonly now: Date },
): readonly string[] {
  const warming = secretsIn(secrets, "dynamicWarmingSecrets").map(
    (one) => [one, "WARMING"] as const,
  );
  const active = secretsIn(secrets, "dynamicActiveSecrets").map((one) => {
    const started = one.versionInfo !== "uninitialized";
    return [one, started ? "ACTIVE" : "UNINITIALIZED"] as const;
  });
  const rows = [...warming, ...active].flatMap(([one, state]) => rowsOf(one, { state, now }));
  if (rows.length === 0) return ["No active or warming secrets found."];
  const federated = rows.every(({ trustDomain }) => trustDomain !== "");
  const shown = rows.map(({ cells: [name = "", ...cells], trustDomain }) => [
    kinds ? `secret/${name}` : name,
    ...cells,
    ...(federated ? [trustDomain] : []),
  ]);
  return tabColumns([[...HEADINGS, ...(federated ? ["TRUST DOMAIN"] : [])], ...shown], PADDING);
}

function secretsIn(secrets: DumpPart, list: string): readonly DumpedSecret[] {
  const found = secrets[list];
  return Array.isArray(found) ? (found as readonly DumpedSecret[]) : [];
}

function rowsOf(
  { name = "", secret }: DumpedSecret,
  at: { readonly state: string; readonly now: Date },
): readonly SecretRow[] {
  const chain = secret?.tlsCertificate?.certificateChain?.inlineBytes;
  const { trustedCa, customValidatorConfig } = secret?.validationContext ?? {};
  const bytes = chain || trustedCa?.inlineBytes;
  if (bytes) return [rowOf(name, bytes, at)];
  const bundles = customValidatorConfig?.typedConfig?.trustDomains;
  if (bundles === undefined) return [rowOf(name, "", at)];
  return bundles.map(({ name: trustDomain = "", trustBundle }) => ({
    ...rowOf(name, trustBundle?.inlineBytes ?? "", at),
    trustDomain,
  }));
}

/** Of several certificates the first is told. */
function rowOf(
  name: string,
  base64: string,
  { state, now }: { readonly state: string; readonly now: Date },
): SecretRow {
  const certificate = base64 === "" ? undefined : firstCertificate(base64);
  if (certificate === undefined)
    return { cells: [name, "", state, "false", "", "", ""], trustDomain: "" };
  const { ca, serialNumber, validFrom, validTo, subjectAltName = "" } = certificate;
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  return {
    cells: [
      name,
      ca ? "CA" : "Cert Chain",
      state,
      String(now > from && now < to),
      serialNumber.toLowerCase().replace(/^0+/, "").padStart(SERIAL_DIGITS, "0"),
      secondsOf(to),
      secondsOf(from),
    ],
    trustDomain: /URI:spiffe:\/\/([^/,]+)/.exec(subjectAltName)?.[1] ?? "",
  };
}

function firstCertificate(base64: string): X509Certificate | undefined {
  try {
    return readCertificates(Buffer.from(base64, "base64").toString())[0]?.certificate;
  } catch {
    return undefined; // The row says that nothing is known of it.
  }
}

/** `2026-11-22T19:39:00Z` */
function secondsOf(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
