/**
 * `tls` of a DestinationRule: how a client's connection to a service is protected. What the sidecar cannot carry is
 * refused, never weakened (TLS-39).
 */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { labelNameProblem } from "./resource-names.ts";

/** TLS-31, TLS-32 */
export type ClientTls =
  | { readonly mode: "DISABLE" }
  | {
      readonly mode: "ISTIO_MUTUAL";
      /** Absent: derived from the service (TLS-33). */
      readonly sni?: string;
      /** Exactly these are accepted of the server; absent: derived from the service's workloads (TLS-34). */
      readonly subjectAltNames?: readonly string[];
    };

const MODES = ["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] as const;
type Mode = (typeof MODES)[number];

const CERTIFICATE_FIELDS = ["clientCertificate", "privateKey", "caCertificates", "caCrl"] as const;
const NAME_FIELDS = ["sni", "subjectAltNames"] as const;

interface WrittenTls {
  readonly mode: Mode;
  readonly certificateFields: readonly string[];
  readonly credentialName: string;
  readonly skipsVerification: boolean;
}

/** What must not stand together, `webhook/client-tls-settings.ts` has told already (VAL-60..VAL-64). */
export function clientTls(fields: Fields): ClientTls {
  const written = {
    mode: fields.choice("mode", MODES, "DISABLE"),
    certificateFields: CERTIFICATE_FIELDS.filter((name) => fields.text(name)),
    credentialName: fields.text("credentialName") ?? "",
    skipsVerification: fields.flag("insecureSkipVerify", "off"),
  };
  const sni = fields.text("sni", sniProblem) ?? "";
  const subjectAltNames = fields.texts("subjectAltNames", emptyProblem);
  if (!fields.has("mode")) fields.noticeHere("has no mode, so it is DISABLE: plaintext");
  if (written.credentialName !== "") {
    fields.report("credentialName", "not supported yet: credentialName"); // TLS-39
  }
  if (written.mode === "SIMPLE" || written.mode === "MUTUAL") refuseMode(fields, written);
  else noticeIneffective(fields, written);
  if (written.mode === "DISABLE") return { mode: "DISABLE" };
  return {
    mode: "ISTIO_MUTUAL",
    ...(sni === "" ? {} : { sni }),
    ...(subjectAltNames.length === 0 ? {} : { subjectAltNames }),
  };
}

/** VAL-66 */
function refuseMode(fields: Fields, { mode, certificateFields, credentialName }: WrittenTls): void {
  fields.report("mode", `not supported yet: ${mode}; only DISABLE and ISTIO_MUTUAL are`);
  if (credentialName !== "" || certificateFields.includes("caCertificates")) return;
  fields.noticeHere("has no caCertificates: any authority the system trusts is accepted");
}

/** VAL-63 */
function noticeIneffective(
  fields: Fields,
  { mode, certificateFields, skipsVerification }: WrittenTls,
): void {
  const names = [
    ...certificateFields,
    ...(skipsVerification ? ["insecureSkipVerify"] : []),
    ...(mode === "DISABLE" ? NAME_FIELDS.filter((name) => !isSilent(fields, name)) : []),
  ];
  for (const name of names) fields.notice(name, `has no effect in mode ${mode}`);
}

/** Absent, an empty list or an empty text: Istio sees no difference. */
function isSilent(fields: Fields, name: string): boolean {
  if (fields.saysNothing(name)) return true;
  return name !== "subjectAltNames" && fields.text(name) === "";
}

/** A server name as Istio writes it: `outbound_.80_._.api.shop.svc.cluster.local` has underscores. */
function sniProblem(text: string): string | undefined {
  if (text === "" || text.split(".").every((label) => isLabel(label.replaceAll("_", "")))) {
    return text.length > 255 ? "must not be longer than 255 characters" : undefined;
  }
  return `${quoted(text)} is not a server name`;
}

function isLabel(label: string): boolean {
  return label === "" || labelNameProblem(label.toLowerCase()) === undefined;
}

function emptyProblem(text: string): string | undefined {
  return text === "" ? "must not be empty" : undefined;
}
