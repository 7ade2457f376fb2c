/**
 * Gateway (Istio's): which ports, hosts and certificates the gateway workloads it selects serve. What Istio itself refuses,
 * `webhook/gateway.ts` and the schema have told already.
 * Source: https://istio.io/latest/docs/reference/config/networking/gateway/
 */
import type { Fields } from "./decoder.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { flagIn, numberIn, textIn, textsIn } from "./webhook/written-values.ts";

export interface Gateway {
  readonly kind: "Gateway";
  readonly meta: ResourceMeta;
  /** Of gateway workloads; empty: all of them. */
  readonly selector: Labels;
  readonly servers: readonly GatewayServerSettings[];
}

export interface GatewayServerSettings {
  readonly line: number;
  readonly name: string;
  readonly port: GatewayPort;
  /** As written: `HOST`, `NAMESPACE/HOST`, `./HOST`. */
  readonly hosts: readonly string[];
  readonly tls?: ServerTlsSettings;
}

export interface GatewayPort {
  readonly number: number;
  readonly name: string;
  /** HTTP of any version is "http"; what is neither HTTP nor TLS is "tcp". */
  readonly protocol: "http" | "https" | "tls" | "tcp";
}

export const SERVER_TLS_MODES = [
  "PASSTHROUGH",
  "SIMPLE",
  "MUTUAL",
  "AUTO_PASSTHROUGH",
  "ISTIO_MUTUAL",
  "OPTIONAL_MUTUAL",
] as const;
export type ServerTlsMode = (typeof SERVER_TLS_MODES)[number];

export interface ServerTlsSettings {
  /** Nothing written is PASSTHROUGH. */
  readonly mode: ServerTlsMode;
  readonly httpsRedirect: boolean;
  /** Names of Secrets. */
  readonly credentialNames: readonly string[];
  /** Of a Secret with authorities, in place of the one that goes with the certificate. */
  readonly caCredentialName?: string;
  /** Files of the gateway's pod, where no Secret is named. */
  readonly files: readonly string[];
  readonly subjectAltNames: readonly string[];
  readonly verifyCertificateHash: readonly string[];
  readonly verifyCertificateSpki: readonly string[];
  /** "" or TLS_AUTO: the usual one. */
  readonly minProtocolVersion: string;
  readonly maxProtocolVersion: string;
  readonly cipherSuites: readonly string[];
  readonly ecdhCurves: readonly string[];
}

const HTTP_PROTOCOLS: ReadonlySet<string> = new Set([
  "HTTP",
  "HTTP2",
  "GRPC",
  "GRPC-WEB",
  "HTTP_PROXY",
]);

export function gateway(meta: ResourceMeta, root: Fields): Gateway {
  const spec = root.section("spec");
  return {
    kind: "Gateway",
    meta,
    selector: spec.stringMap("selector"),
    servers: spec.list("servers").map(gatewayServer),
  };
}

const EVERY_ADDRESS = ["", "0.0.0.0", "::"];

function gatewayServer(server: Fields): GatewayServerSettings {
  const port = server.section("port");
  if (EVERY_ADDRESS.includes(textIn(server, "bind"))) server.accept(["bind"]);
  else server.unsupported(["bind"]);
  server.unused(["defaultEndpoint"]);
  return {
    line: server.line,
    name: textIn(server, "name"),
    port: {
      number: numberIn(port, "number"),
      name: textIn(port, "name"),
      protocol: protocolOf(textIn(port, "protocol").toUpperCase()),
    },
    hosts: textsIn(server, "hosts"),
    ...(server.has("tls") && { tls: serverTlsSettings(server.section("tls")) }),
  };
}

function protocolOf(text: string): GatewayPort["protocol"] {
  if (HTTP_PROTOCOLS.has(text)) return "http";
  if (text === "HTTPS") return "https";
  return text === "TLS" ? "tls" : "tcp";
}

function serverTlsSettings(tls: Fields): ServerTlsSettings {
  const written = textIn(tls, "mode");
  const caCredentialName = textIn(tls, "caCertCredentialName");
  const one = textIn(tls, "credentialName");
  if (flagIn(tls, "insecureSkipVerify")) {
    tls.report(
      "insecureSkipVerify",
      "must not be true: a certificate of a client would be nobody's",
    );
  }
  return {
    mode: SERVER_TLS_MODES.find((mode) => mode === written) ?? "PASSTHROUGH",
    httpsRedirect: flagIn(tls, "httpsRedirect"),
    credentialNames: one === "" ? textsIn(tls, "credentialNames") : [one],
    ...(caCredentialName !== "" && { caCredentialName }),
    files: filesOf(tls),
    subjectAltNames: textsIn(tls, "subjectAltNames"),
    verifyCertificateHash: textsIn(tls, "verifyCertificateHash"),
    verifyCertificateSpki: textsIn(tls, "verifyCertificateSpki"),
    minProtocolVersion: textIn(tls, "minProtocolVersion"),
    maxProtocolVersion: textIn(tls, "maxProtocolVersion"),
    cipherSuites: textsIn(tls, "cipherSuites"),
    ecdhCurves: textsIn(tls, "ecdhCurves"),
  };
}

function filesOf(tls: Fields): readonly string[] {
  const own = [tls, ...tls.list("tlsCertificates")].flatMap((owner) =>
    ["serverCertificate", "privateKey", "caCertificates"].map((name) => textIn(owner, name)),
  );
  return [...own, textIn(tls, "caCrl")].filter((path) => path !== "");
}
