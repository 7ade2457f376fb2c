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
    }
  | OriginatedTls;

/** TLS with certificates that are not the mesh's (TLS-37..TLS-39). */
export interface OriginatedTls {
  readonly mode: "SIMPLE" | "MUTUAL";
  /** Absent: the host that is called. */
  readonly sni?: string;
  /** One of them must be in the server's certificate; absent: the host that is called, unless there is a `sni`. */
  readonly subjectAltNames?: readonly string[];
  readonly insecureSkipVerify?: true;
  /** Name of a Secret in the caller's namespace, instead of the files. */
  readonly credentialName?: string;
  /** Path of PEM; absent: whom the operating system trusts. */
  readonly caCertificates?: string;
  readonly caCrl?: string;
  /** With mode MUTUAL, unless there is a `credentialName`. */
  readonly clientCertificate?: string;
  readonly privateKey?: string;
}

const MODES = ["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"] as const;
type Mode = (typeof MODES)[number];

const CERTIFICATE_FIELDS = ["clientCertificate", "privateKey", "caCertificates", "caCrl"] as const;
const NAME_FIELDS = ["sni", "subjectAltNames"] as const;
/** What Istio means by the same as nothing: whom the operating system trusts. */
const SYSTEM = "system";

interface WrittenTls {
  readonly mode: Mode;
  readonly certificateFields: readonly (typeof CERTIFICATE_FIELDS)[number][];
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
  const { mode } = written;
  const names = {
    ...(sni === "" ? {} : { sni }),
    ...(subjectAltNames.length === 0 ? {} : { subjectAltNames }),
  };
  if (mode === "SIMPLE" || mode === "MUTUAL") {
    noticeLaxity(fields, written);
    return { mode, ...names, ...certificatesOf(fields, written) };
  }
  noticeIneffective(fields, written);
  return mode === "DISABLE" ? { mode } : { mode, ...names };
}

/** Of mode SIMPLE or MUTUAL. */
function certificatesOf(
  fields: Fields,
  { mode, certificateFields, credentialName, skipsVerification }: WrittenTls,
): Omit<OriginatedTls, "mode"> {
  if (credentialName.startsWith("configmap://")) {
    fields.report("credentialName", "not supported yet: a config map; a Secret is");
  }
  const own = mode === "MUTUAL" ? [] : ["clientCertificate", "privateKey"];
  const effective = certificateFields.filter((name) => !own.includes(name));
  for (const name of effective) checkPath(fields, name);
  for (const name of certificateFields.filter((one) => own.includes(one))) {
    fields.notice(name, `has no effect in mode ${mode}`);
  }
  const paths = effective
    .map((name) => [name, fields.text(name) ?? ""] as const)
    .filter(([name, path]) => name !== "caCertificates" || path !== SYSTEM);
  return {
    ...(skipsVerification && { insecureSkipVerify: true }),
    ...(credentialName !== "" && { credentialName }),
    ...Object.fromEntries(paths),
  };
}

/** A sidecar has no folder of its own from which a path could go out. */
function checkPath(fields: Fields, name: (typeof CERTIFICATE_FIELDS)[number]): void {
  const path = fields.text(name) ?? "";
  if (path.startsWith("/") || (name === "caCertificates" && path === SYSTEM)) return;
  fields.report(name, `${quoted(path)} is no absolute path`);
}

/** VAL-66, TLS-37 */
function noticeLaxity(
  fields: Fields,
  { certificateFields, credentialName, skipsVerification }: WrittenTls,
): void {
  if (skipsVerification) {
    fields.notice("insecureSkipVerify", "whoever answers is believed, whatever it shows");
    return;
  }
  if (!isSilent(fields, "sni") && isSilent(fields, "subjectAltNames")) {
    const who = "any certificate of the trusted authorities is accepted, whatever its name";
    fields.notice("sni", `is given without subjectAltNames, so that ${who} (TLS-37)`);
  }
  if (credentialName !== "" || certificateFields.includes("caCertificates")) return;
  fields.noticeHere("has no caCertificates: any authority the system trusts is accepted");
}

/** VAL-63 */
function noticeIneffective(
  fields: Fields,
  { mode, certificateFields, credentialName, skipsVerification }: WrittenTls,
): void {
  const names = [
    ...certificateFields,
    ...(credentialName === "" ? [] : ["credentialName"]),
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
