/** Which way an inbound connection takes: mode, declared protocol and what the client began with (PA-30..PA-39). */
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import {
  type DetectedProtocol,
  type Detector,
  detectTls,
  detectTlsOrHttp,
} from "./protocol-detection.ts";

export type FilterChain =
  | {
      readonly serve: "http" | "tcp";
      /** "opaque-tls": the bytes go to the application as they are. */
      readonly transport: "mutual-tls" | "plaintext" | "opaque-tls";
    }
  | { readonly refuse: "plaintext-refused" | "tls-refused" | "no-mesh-protocol" };

/** The client's proxy knows that it carries HTTP. */
const MESH_HTTP: readonly string[] = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
/** The client's proxy carries opaque TCP. */
const MESH_TCP: readonly string[] = ["istio-peer-exchange", "istio"];

export interface PortSettings {
  readonly mode: MutualTlsMode;
  readonly protocol: PortProtocol;
}

/** What must be known of the first bytes before a chain can be chosen (PA-41). */
export function detectorFor({ mode, protocol }: PortSettings): Detector {
  return mode !== "STRICT" && protocol === "auto" ? detectTlsOrHttp : detectTls;
}

export function chooseFilterChain(port: PortSettings, detected: DetectedProtocol): FilterChain {
  if (detected.kind === "tls") return tlsChain(port, detected.hello.applicationProtocols);
  if (port.mode === "STRICT") return { refuse: "plaintext-refused" };
  const http = port.protocol === "http" || (port.protocol === "auto" && detected.kind === "http");
  return { serve: http ? "http" : "tcp", transport: "plaintext" };
}

function tlsChain({ mode, protocol }: PortSettings, offered: readonly string[]): FilterChain {
  const meshHttp = offered.some((name) => MESH_HTTP.includes(name));
  const mesh = meshHttp || offered.some((name) => MESH_TCP.includes(name));
  if (mode === "DISABLE") return { refuse: "tls-refused" };
  if (mode === "STRICT" || mesh) {
    const http = protocol === "http" || (protocol === "auto" && meshHttp);
    return { serve: http ? "http" : "tcp", transport: "mutual-tls" };
  }
  if (protocol === "http") return { refuse: "no-mesh-protocol" };
  return { serve: "tcp", transport: "opaque-tls" };
}
