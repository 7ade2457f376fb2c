/** Waits for a client's first bytes until a detector knows what they are. */
import type { Socket } from "node:net";
import type { PortProtocol } from "../api/service.ts";
import type { HttpFraming } from "./mesh-protocols.ts";
import {
  type DetectedProtocol,
  type Detector,
  detectHttp2Framing,
  detectHttpFraming,
  framingOf,
  stalledProtocol,
} from "./protocol-detection.ts";

/** What a client began with. */
export interface FirstBytes {
  readonly detected: DetectedProtocol;
  /** Bytes that could not be given back to the socket, since the client has ended: they come first. */
  readonly head: Buffer;
}

export interface FirstBytesOptions {
  readonly detect: Detector;
  /** How long a client may say nothing at all; absent is forever (PA-41). */
  readonly silenceMs?: number;
  /** What becomes of a client silent for that long. */
  readonly onSilence?: "close" | "tcp";
  /** From the first byte to a complete ClientHello or request line. */
  readonly completionMs?: number;
}

const COMPLETION_MS = 10_000;
const NOTHING = Buffer.alloc(0);
const TCP: DetectedProtocol = { kind: "tcp" };

/**
 * Reads until `detect` knows, the client ends, or time is up, and gives the bytes back to the socket: whoever serves
 * the connection next reads them again.
 *
 * @returns undefined when the connection closed, or must be closed, before anything was known
 */
export function readFirstBytes(
  socket: Socket,
  { detect, silenceMs, onSilence, completionMs = COMPLETION_MS }: FirstBytesOptions,
): Promise<FirstBytes | undefined> {
  return new Promise((resolve) => {
    let bytes: Buffer = NOTHING;
    let timer = silenceMs === undefined ? undefined : setTimeout(onTime, silenceMs);
    const finish = (detected: DetectedProtocol | undefined): void => {
      clearTimeout(timer);
      socket.off("readable", onReadable).off("end", onEnd).off("close", onClose);
      if (detected === undefined) resolve(undefined);
      else if (socket.readableEnded) resolve({ detected, head: bytes });
      else {
        if (bytes.length > 0) socket.unshift(bytes);
        resolve({ detected, head: NOTHING });
      }
    };
    function onReadable(): void {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      if (bytes.length === 0) {
        clearTimeout(timer);
        timer = setTimeout(onTime, completionMs);
      }
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const detected = detect(bytes);
      if (detected !== undefined) finish(detected);
    }
    function onTime(): void {
      finish(bytes.length > 0 || onSilence === "tcp" ? stalledProtocol(bytes) : undefined);
    }
    function onEnd(): void {
      finish(bytes.length > 0 ? TCP : undefined);
    }
    function onClose(): void {
      finish(undefined);
    }
    socket.on("readable", onReadable).on("end", onEnd).on("close", onClose);
  });
}

/**
 * Which version of HTTP a client speaks, on a connection that carries HTTP and where nothing was agreed on by ALPN; the
 * bytes are given back.
 *
 * @param declared as what; HTTP/2 refuses by its own ways what is neither
 * @returns undefined when it ended, or said nothing, so that the connection must be closed
 */
export async function readHttpFraming(
  socket: Socket,
  { declared, silenceMs }: { readonly declared: PortProtocol; readonly silenceMs: number },
): Promise<HttpFraming | undefined> {
  const detect = declared === "http2" ? detectHttp2Framing : detectHttpFraming;
  const first = await readFirstBytes(socket, { detect, silenceMs });
  return first === undefined || first.head.length > 0 ? undefined : framingOf(first.detected);
}
