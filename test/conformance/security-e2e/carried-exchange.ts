/** What is sent of a case, what comes of it, and in which time. */
import type { Socket } from "node:net";
import type { Question } from "../../../src/policy/question.ts";
import { type Content, type HopAnswer, type Sent, send } from "./hop-ends.ts";

const PATIENCE_MS = 20_000;

const CONTENTS: readonly string[] = ["http", "http2", "grpc", "https", "tcp"] satisfies Content[];

export function isContent(text: string | undefined): text is Content {
  return text !== undefined && CONTENTS.includes(text);
}

/**
 * Ports of bytes carry a request of the application's own, if any; gRPC has one method of HTTP. Clients keep fragments to
 * themselves (RFC 9110 section 7.1).
 */
export function sentOf({ request }: Question, content: Content): Sent {
  if (request === undefined) return { method: "GET", path: "/", headers: {} };
  const { method, path, headers } = request;
  return {
    method: content === "grpc" ? "POST" : method,
    path: path.replace(/#.*/, ""),
    headers: Object.fromEntries(headers),
  };
}

/** A connection that comes to nothing has the status 0. */
export async function answerOf(
  content: Content,
  sending: { readonly sent: Sent; readonly dial: () => Socket },
): Promise<HopAnswer> {
  try {
    return await send(content, sending);
  } catch {
    return { status: 0, headers: {}, body: "" };
  }
}

/** @throws Error: whoever waits that long is neither let in nor refused */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer, and no end")), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Told {
  readonly content: Content;
  readonly heard: HopAnswer["heard"] | undefined;
  readonly mtls: boolean;
}

/** What an application hears of its caller's certificate is what was seen on the way. @throws Error */
export function assertTold({ content, heard, mtls }: Told): void {
  if (heard === undefined || content === "tcp" || content === "https") return;
  const isTold = heard["x-forwarded-client-cert"] !== undefined;
  if (isTold !== mtls)
    throw new Error(`mutual TLS on the wire: ${mtls}; x-forwarded-client-cert: ${isTold}`);
}
