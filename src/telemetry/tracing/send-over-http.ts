/**
 * OTLP over HTTP/1.1, in its binary form, as Envoy sends it.
 * Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import { type IncomingMessage, request as openRequest } from "node:http";
import type { Duplex } from "node:stream";
import type { SpanCollector } from "../../policy/workload-view.ts";
import { type ConnectCollector, requestSignal } from "./collector-connection.ts";
import type { SendRequest, SendResult } from "./span-exporter.ts";

const TRY_AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Of an answer, which nobody reads: longer ones are cut. */
const MAX_ANSWER_BYTES = 65_536;

/** @param connect each request has a connection of its own */
export function sendOverHttp(collector: SpanCollector, connect: ConnectCollector): SendRequest {
  return async (body, signal) => {
    const both = requestSignal(collector.timeoutMs, signal);
    const socket = await connect(collector, both);
    try {
      return await exchange(collector, { body, socket, signal: both });
    } finally {
      socket.destroy();
    }
  };
}

interface OneRequest {
  readonly body: Buffer;
  readonly socket: Duplex;
  readonly signal: AbortSignal;
}

function exchange(
  { host, port, path, headers }: SpanCollector,
  { body, socket, signal }: OneRequest,
): Promise<SendResult> {
  return new Promise((resolve, reject) => {
    const request = openRequest({
      createConnection: () => socket,
      method: "POST",
      path,
      signal,
      headers: {
        host: `${host}:${port}`,
        "user-agent": "hauberk",
        ...headers,
        "content-type": "application/x-protobuf",
        "content-length": body.length,
      },
    });
    request.on("error", reject);
    request.once("response", (answer) => {
      // Its status counts, however its body ends.
      answer.on("error", () => undefined).once("close", () => resolve(resultOf(answer)));
      discard(answer);
    });
    request.end(body);
  });
}

function discard(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) answer.destroy();
  });
}

function resultOf({ statusCode = 0, headers }: IncomingMessage): SendResult {
  if (statusCode >= 200 && statusCode < 300) return { outcome: "taken" };
  const problem = `the collector answered ${statusCode}`;
  if (!TRY_AGAIN.has(statusCode)) return { outcome: "refused", problem };
  const afterMs = retryAfterMs(headers["retry-after"], Date.now());
  return { outcome: "again", problem, ...(afterMs !== undefined && { afterMs }) };
}

/**
 * `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
 *
 * @param now milliseconds since 1970
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1_000;
  const date = /^[A-Z][a-z]{2}, /.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
