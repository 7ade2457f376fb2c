/**
 * The ALPN names by which the two ends of a mesh connection tell each other what it carries, in one place: what a caller
 * offers (TLS-35), what a callee chooses (TLS-2), and what follows from the choice.
 */
import type { HttpProtocol } from "./http/received-message.ts";

/** How requests lie on a connection. */
export type HttpFraming = "HTTP/1" | "HTTP/2";

/**
 * Between two of our sidecars: requests of HTTP/1.1, many at a time, in the frames of HTTP/2. To the callee's application
 * they are HTTP/1.1 (`requestProtocol`). Whoever does not know the name chooses another one, and gets HTTP/1.1 as it is.
 */
export const MULTIPLEXED_HTTP_1 = "hauberk-http/1.1";

/** The client's proxy knows that it carries HTTP (H-ISTIO). */
export const MESH_HTTP: readonly string[] = [
  MULTIPLEXED_HTTP_1,
  "istio-http/1.0",
  "istio-http/1.1",
  "istio-h2",
];
/** The client's proxy carries opaque TCP (T-ISTIO). */
export const MESH_TCP: readonly string[] = ["istio-peer-exchange", "istio"];

/** What a caller's connection is for. An "upgrade" is a WebSocket or a tunnel: it needs an HTTP/1.1 connection of its own. */
export type CallContent = "HTTP/1.1" | "HTTP/2" | "upgrade" | "tcp";

/** `istio-peer-exchange` is left out: it would promise metadata frames that we do not send. */
export const OFFERED_PROTOCOLS: Readonly<Record<CallContent, readonly string[]>> = {
  "HTTP/1.1": [MULTIPLEXED_HTTP_1, "istio-http/1.1", "istio", "http/1.1"],
  "HTTP/2": ["istio-h2", "istio", "h2"],
  upgrade: ["istio-http/1.1", "istio", "http/1.1"],
  tcp: ["istio"],
};

/**
 * What a callee chooses, the first that the client has; a client that has none of them gets none, and no alert (TLS-2).
 * Bytes are nobody's to multiplex: where they are carried as they come, only what says the least is chosen.
 */
export const CHOSEN_PROTOCOLS: Readonly<Record<"http" | "tcp", readonly string[]>> = {
  http: [MULTIPLEXED_HTTP_1, "h2", "http/1.1"],
  tcp: ["http/1.1"],
};

const FRAMINGS: ReadonlyMap<string, HttpFraming> = new Map([
  [MULTIPLEXED_HTTP_1, "HTTP/2"],
  ["h2", "HTTP/2"],
  ["http/1.1", "HTTP/1"],
]);

/**
 * What must be spoken on a connection that carries HTTP. Who agreed on one framing may not use the other.
 *
 * @param negotiated as `TLSSocket.alpnProtocol` has it
 * @returns undefined where nothing was agreed on: the callee reads it off the first bytes (`readHttpFraming`), the
 * caller speaks what it set out to speak
 */
export function negotiatedFraming(
  negotiated: string | false | null | undefined,
): HttpFraming | undefined {
  return FRAMINGS.get(negotiated || "");
}

/** The version of a request that came in a connection's frames: what policies, logs and the application are told. */
export function requestProtocol(
  received: HttpProtocol,
  negotiated: string | false | null | undefined,
): HttpProtocol {
  return negotiated === MULTIPLEXED_HTTP_1 ? "HTTP/1.1" : received;
}
