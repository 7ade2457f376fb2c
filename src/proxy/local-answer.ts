/** Answers given by the sidecar itself, and what becomes of a request body that nobody wants. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./exchange.ts";

/** Of one message, as Envoy's default; more is answered with 431. */
export const MAX_HEADER_BYTES = 61_440;
/** A body up to this size is read to its end so that the connection can serve on; a longer one ends it. */
const MAX_UNWANTED_BYTES = 1024 * 1024;

export function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  { status, body, headers = [] }: Answer,
): void {
  response.writeHead(status, [
    "content-type",
    "text/plain",
    "content-length",
    String(Buffer.byteLength(body)),
    ...headers,
  ]);
  response.end(body);
  refuseRest(incoming);
}

/** Reads what is left of a body and throws it away. */
export function refuseRest(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return;
  let unwanted = 0;
  incoming.on("data", (chunk: Buffer) => {
    unwanted += chunk.length;
    if (unwanted > MAX_UNWANTED_BYTES) incoming.destroy();
  });
  incoming.resume();
}
