/** Which way an inbound connection takes: mode, declared protocol and what the client began with (PA-30..PA-39). */
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import { type HttpFraming, MESH_HTTP, MESH_TCP } from "./mesh-protocols.ts";
import {
  type DetectedProtocol,
  type Detector,
  detectTls,
  detectTlsOrHttp,
  detectTlsOrHttp2Framing,
  detectTlsOrHttpFraming,
  framingOf,
} from "./protocol-detection.ts";

export type FilterChain =
  | { readonly serve: "http"; readonly transport: "plaintext"; readonly http: HttpFraming }
  /** What is spoken shows when the handshake is over: `negotiatedFraming`, else by the first bytes: `readHttpFraming`. */
  | { readonly serve: "http"; readonly transport: "mutual-tls" }
  /** "opaque-tls": the bytes go to the application as they are. */
  | { readonly serve: "tcp"; readonly transport: "mutual-tls" | "plaintext" | "opaque-tls" }
  | { readonly refuse: "plaintext-refused" | "tls-refused" | "no-mesh-protocol" };

export interface PortSettings {
  readonly mode: MutualTlsMode;
  readonly protocol: PortProtocol;
}

/**
 * What must be known of the first bytes before a chain can be chosen (PA-41); undefined: nothing, so that an application
 * that speaks first is not waited for. As istiod looks for TLS only where a chain asks for it.
 */
export function detectorFor({ mode, protocol }: PortSettings): Detector | undefined {
  if (mode === "DISABLE" && protocol === "tcp") return undefined;
  if (mode === "STRICT" || protocol === "tcp") return detectTls;
  if (protocol === "auto") return detectTlsOrHttp;
  return protocol === "http2" ? detectTlsOrHttp2Framing : detectTlsOrHttpFraming;
}

/** @param detected by `detectorFor`, or "tcp" of a client that ended before anything was known */
export function chooseFilterChain(port: PortSettings, detected: DetectedProtocol): FilterChain {
  if (detected.kind === "tls") return tlsChain(port, detected.hello.applicationProtocols);
  if (port.mode === "STRICT") return { refuse: "plaintext-refused" };
  if (!isHttp(port.protocol, detected.kind === "tcp" ? "tcp" : "http")) {
    return { serve: "tcp", transport: "plaintext" };
  }
  return { serve: "http", transport: "plaintext", http: framingOf(detected) };
}

function tlsChain({ mode, protocol }: PortSettings, offered: readonly string[]): FilterChain {
  const meshHttp = offered.some((name) => MESH_HTTP.includes(name));
  const mesh = meshHttp || offered.some((name) => MESH_TCP.includes(name));
  if (mode === "DISABLE") {
    const isOwn = !mesh && !isHttp(protocol, "tcp");
    return isOwn ? { serve: "tcp", transport: "opaque-tls" } : { refuse: "tls-refused" };
  }
  if (mode === "STRICT" || mesh) {
    const serve = isHttp(protocol, meshHttp ? "http" : "tcp") ? "http" : "tcp";
    return { serve, transport: "mutual-tls" };
  }
  if (isHttp(protocol, "tcp")) return { refuse: "no-mesh-protocol" };
  return { serve: "tcp", transport: "opaque-tls" };
}

/** What is declared counts; where nothing is, what came. */
function isHttp(protocol: PortProtocol, found: "http" | "tcp"): boolean {
  if (protocol === "auto") return found === "http";
  return protocol !== "tcp";
}
