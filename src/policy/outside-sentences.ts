/** What is told of a destination outside the mesh, in words: where its calls go, and how they are protected. */
import { quoted } from "../api/quoted.ts";
import type { TlsMaterial, TlsOrigination } from "./tls-origination.ts";
import type { Destination } from "./workload-view.ts";

/** @returns none for a service of the mesh */
export function placeSentences(destination: Destination): readonly string[] {
  const { serviceEntry, endpoints } = destination;
  if (serviceEntry === undefined) return [];
  const { location, resolution, lookUp = [], ranges = [] } = serviceEntry;
  const where =
    location === "MESH_EXTERNAL" ? "outside the mesh" : "of the mesh, by a ServiceEntry";
  const names = lookUp.map(({ host, port }) => `${host}:${port}`);
  const given = endpoints.map(({ address }) => `${address.address}:${address.port}`);
  const places = [...given, ...names];
  return [
    resolution === "NONE"
      ? `${where}: called wherever the application calls it`
      : `${where}: called at ${places.join(", ") || "no endpoint, so that calls fail"}`,
    ...(names.length > 0 ? ["names are looked up by the sidecar, again and again"] : []),
    ...(ranges.length > 0 ? [`known by any address of ${ranges.join(", ")}`] : []),
  ];
}

/** @returns none where no rule has it called by TLS of others */
export function originationSentences({
  host,
  tlsOrigination,
}: Pick<Destination, "host" | "tlsOrigination">): readonly string[] {
  if (tlsOrigination === undefined) return [];
  const { mode, sni, material } = tlsOrigination;
  if (material.from === "nowhere") {
    return [`TLS (${mode}) that nobody can speak, so that calls fail: ${material.problem}`];
  }
  const name = sni === undefined ? "" : `, server name ${quoted(sni)}`;
  return [
    `TLS (${mode})${name}: ${verificationInWords(tlsOrigination, host)}`,
    ...(mode === "MUTUAL" ? [`with the certificate of ${sourceInWords(material)}`] : []),
  ];
}

function verificationInWords(
  { verification, subjectAltNames, material }: TlsOrigination,
  host: string,
): string {
  const trusted = authoritiesInWords(material);
  switch (verification) {
    case "nothing":
      return "whoever answers is believed (insecureSkipVerify)";
    case "authority":
      return `any certificate of ${trusted} is believed`;
    case "name": {
      const names = (subjectAltNames ?? [host]).join(" or ");
      return `the certificate must be of ${trusted}, and of ${names}`;
    }
  }
}

function authoritiesInWords(material: TlsMaterial): string {
  switch (material.from) {
    case "files":
      return material.caCertificates === undefined
        ? "an authority that the system trusts"
        : `an authority in ${material.caCertificates}`;
    case "secret":
      return `an authority in Secret ${material.name}`;
    case "nowhere":
      return "nobody";
  }
}

function sourceInWords(material: TlsMaterial): string {
  switch (material.from) {
    case "files":
      return material.clientCertificate ?? "no file";
    case "secret":
      return `Secret ${material.name}`;
    case "nowhere":
      return "nobody";
  }
}
