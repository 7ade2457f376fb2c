/** As what the application's own connection to a destination is served: its declared protocol, and what the application began with. */
import type { PortProtocol } from "../api/service.ts";
import type { HttpFraming } from "./mesh-protocols.ts";
import {
  type DetectedProtocol,
  type Detector,
  detectHttp,
  detectHttp2Framing,
  detectHttpFraming,
  framingOf,
} from "./protocol-detection.ts";

export type OutboundChain =
  | { readonly serve: "http"; readonly http: HttpFraming }
  | { readonly serve: "tcp" };

const DETECTORS: Readonly<Record<PortProtocol, Detector | undefined>> = {
  http: detectHttpFraming,
  http2: detectHttp2Framing,
  auto: detectHttp,
  tcp: undefined,
};

/** What must be known of the first bytes; undefined: nothing, so that a callee that speaks first is not waited for. */
export function outboundDetector(protocol: PortProtocol): Detector | undefined {
  return DETECTORS[protocol];
}

/** @param detected by `outboundDetector`, or "tcp" of an application that ended before anything was known */
export function chooseOutboundChain(
  protocol: PortProtocol,
  detected: DetectedProtocol,
): OutboundChain {
  const isBytes = protocol === "tcp" || (protocol === "auto" && !isHttp(detected));
  if (isBytes) return { serve: "tcp" };
  return { serve: "http", http: framingOf(detected) };
}

function isHttp({ kind }: DetectedProtocol): boolean {
  return kind === "http" || kind === "http2";
}
