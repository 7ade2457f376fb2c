/** A collector of spans that listens: OTLP over HTTP/1.1, or over gRPC on HTTP/2, answering as a test wants. */
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { type ReadRequest, readRequest } from "./otlp-messages.ts";

export interface CollectedRequest extends ReadRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Of HTTP, or of gRPC. */
export interface CollectorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Never answers. */
  readonly silent?: true;
}

export interface OtlpCollector {
  readonly port: number;
  readonly requests: readonly CollectedRequest[];
  /** Of all requests. */
  readonly spans: readonly ReadRequest["spans"][number][];
  close(): void;
}

/** @param answers one a request; the last for all that follow */
export async function httpCollector(
  answers: readonly CollectorAnswer[] = [{ status: 200 }],
): Promise<OtlpCollector> {
  const requests: CollectedRequest[] = [];
  const server = createHttpServer(async (request, response) => {
    const body = await bytesOf(request);
    const { url = "", headers } = request;
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push({ path: url, headers, ...readRequest(body) });
    if (answer?.silent) return;
    response.writeHead(answer?.status ?? 200, answer?.headers).end("{}");
  });
  return listening(server, requests, () => server.closeAllConnections());
}

export async function grpcCollector(
  answers: readonly CollectorAnswer[] = [{ status: 0 }],
): Promise<OtlpCollector> {
  const requests: CollectedRequest[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = createHttp2Server();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", async (stream, headers) => {
    stream.on("error", () => undefined);
    const framed = await bytesOf(stream);
    if (framed[0] !== 0 || framed.readUInt32BE(1) !== framed.length - 5) {
      throw new Error("expected one message that is not compressed");
    }
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push({ path: headers[":path"] ?? "", headers, ...readRequest(framed.subarray(5)) });
    if (answer?.silent) return;
    const trailers = { "grpc-status": String(answer?.status ?? 0), ...answer?.headers };
    const head = { ":status": 200, "content-type": "application/grpc" };
    if (answer?.status !== 0) {
      stream.respond({ ...head, ...trailers }, { endStream: true });
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(Buffer.alloc(5));
  });
  return listening(server, requests, () => {
    for (const session of sessions) session.destroy();
  });
}

async function listening(
  server: Server,
  requests: readonly CollectedRequest[],
  cut: () => void,
): Promise<OtlpCollector> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    get spans() {
      return requests.flatMap(({ spans }) => spans);
    },
    close: () => {
      server.close();
      cut();
    },
  };
}

async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
