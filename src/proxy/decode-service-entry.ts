/** Reads the parts of a view that say how destinations outside the mesh are found, and how TLS is spoken to them. */
import type { ResourceOrigin } from "../policy/decision.ts";
import type { ServiceEntryTerms } from "../policy/service-entry-terms.ts";
import type { TlsMaterial, TlsOrigination } from "../policy/tls-origination.ts";
import {
  choice,
  type Decoder,
  flag,
  integer,
  list,
  object,
  objectWith,
  section,
  text,
  trueOnly,
  unexpected,
} from "./view-fields.ts";

const portNumber = integer(1, 65_535);

export function serviceEntryTerms(origin: Decoder<ResourceOrigin>): Decoder<ServiceEntryTerms> {
  return objectWith(
    {
      origin,
      location: choice(["MESH_EXTERNAL", "MESH_INTERNAL"]),
      resolution: choice(["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN"]),
    },
    {
      targetPort: portNumber,
      ranges: list(text),
      toldBySni: trueOnly,
      lookUp: list(object({ workload: text, host: text, port: portNumber, mutualTls: flag })),
      subjectAltNames: list(text),
    },
  );
}

const files = objectWith(
  { from: choice(["files"]) },
  { caCertificates: text, caCrl: text, clientCertificate: text, privateKey: text },
);
const secret = objectWith(
  { from: choice(["secret"]), name: text, caPem: text },
  { crlPem: text, certificatePem: text, keyPem: text },
);
const nowhere = object({ from: choice(["nowhere"]), problem: text });

const material: Decoder<TlsMaterial> = (value, path) => {
  switch (section(value, path)["from"]) {
    case "files":
      return files(value, path);
    case "secret":
      return secret(value, path);
    case "nowhere":
      return nowhere(value, path);
  }
  throw unexpected(path, "where certificates come from");
};

export const tlsOrigination: Decoder<TlsOrigination> = objectWith(
  {
    mode: choice(["SIMPLE", "MUTUAL"]),
    verification: choice(["name", "authority", "nothing"]),
    material,
  },
  { sni: text, subjectAltNames: list(text) },
);
