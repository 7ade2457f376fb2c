/** What a client's first bytes tell of the host that it means, at an address that nobody knows. */
import type { Socket } from "node:net";
import { readFirstBytes } from "./first-bytes.ts";
import type { HttpFraming } from "./mesh-protocols.ts";
import { parseAuthority } from "./parse-authority.ts";
import { type Detector, detectTlsOrHttp } from "./protocol-detection.ts";

export type ToldHost =
  | { readonly kind: "requests"; readonly framing: HttpFraming; readonly host?: string }
  | { readonly kind: "tls"; readonly serverName?: string }
  /** Nothing that tells; `head` comes first, where it could not be given back. */
  | { readonly kind: "bytes"; readonly head: Buffer }
  | { readonly kind: "gone" };

/** A server that speaks first is not kept waiting for longer. */
const SILENCE_MS = 300;
const MAX_HEAD_BYTES = 65_536;
const HEAD_END = "\r\n\r\n";
const HOST_FIELD = /^host:[\t ]*([^\t ]+)[\t ]*$/im;

/** Whoever serves the connection next reads the bytes again. */
export async function readToldHost(socket: Socket): Promise<ToldHost> {
  let head = "";
  const detect: Detector = (bytes) => {
    const detected = detectTlsOrHttp(bytes);
    if (detected?.kind !== "http") return detected;
    const end = bytes.indexOf(HEAD_END);
    if (end < 0 && bytes.length < MAX_HEAD_BYTES) return undefined;
    head = bytes.toString("latin1", 0, end < 0 ? MAX_HEAD_BYTES : end);
    return detected;
  };
  const first = await readFirstBytes(socket, {
    detect,
    silenceMs: SILENCE_MS,
    onSilence: "tcp",
  });
  if (first === undefined) return { kind: "gone" };
  if (first.head.length > 0) return { kind: "bytes", head: first.head };
  switch (first.detected.kind) {
    case "tls": {
      const { serverName } = first.detected.hello;
      return { kind: "tls", ...(serverName !== undefined && { serverName }) };
    }
    case "http2":
      return { kind: "requests", framing: "HTTP/2" };
    case "http":
      return { kind: "requests", framing: "HTTP/1", ...hostIn(head) };
    case "tcp":
      return { kind: "bytes", head: first.head };
  }
}

function hostIn(head: string): { readonly host?: string } {
  const [, authority = ""] = HOST_FIELD.exec(head) ?? [];
  const { host } = parseAuthority(authority) ?? {};
  return host === undefined ? {} : { host };
}
