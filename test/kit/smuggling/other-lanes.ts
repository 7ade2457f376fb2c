/** Other proxies with the same policy, so that the table says more than "ours is clean". None of them has to be. */
import { once } from "node:events";
import { Agent, createServer, request, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import type { Lane } from "./attack-exchange.ts";
import { RecordingUpstream } from "./recording-upstream.ts";
import { dial } from "./sidecar-lanes.ts";
import { FORBIDDEN_HEADER, FORBIDDEN_PATH } from "./smuggling-case.ts";

const LOOPBACK = "127.0.0.1";

/** A reverse proxy of a few lines, as anybody writes it with node:http. */
export async function openNodeHttpLane(): Promise<Lane> {
  const upstream = new RecordingUpstream();
  const port = await upstream.listen();
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    const { method = "GET", url = "/", headers } = incoming;
    if (url.startsWith(FORBIDDEN_PATH) || FORBIDDEN_HEADER in headers) {
      response.writeHead(403).end();
      return;
    }
    const outgoing = request({ port, host: LOOPBACK, agent, method, path: url, headers });
    outgoing.on("response", (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(response);
    });
    outgoing.on("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    incoming.on("error", () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  return laneBefore(upstream, { name: "node:http", server, port: await listening(server) });
}

/** Looks at the first head of a connection, and carries bytes from then on: what the judge must find at fault. */
export async function openCarelessLane(): Promise<Lane> {
  const upstream = new RecordingUpstream();
  const port = await upstream.listen();
  const server = createTcpServer({ allowHalfOpen: true }, (client) => {
    client.on("error", () => client.destroy());
    client.once("data", (first: Buffer) => {
      const [head = ""] = first.toString("latin1").split("\r\n\r\n");
      if (/^\S+ \/admin/.test(head) || /^x-blocked:/im.test(head)) {
        client.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return;
      }
      const onward = connect({ port, host: LOOPBACK, allowHalfOpen: true });
      onward.on("error", () => client.destroy()).on("close", () => client.destroy());
      client.on("close", () => onward.destroy());
      onward.write(first);
      client.pipe(onward).pipe(client);
    });
  });
  return laneBefore(upstream, { name: "careless", server, port: await listening(server) });
}

export function laneBefore(
  upstream: RecordingUpstream,
  {
    name,
    port,
    server,
  }: {
    readonly name: string;
    readonly port: number;
    readonly server: { close(): unknown };
  },
): Lane {
  return {
    name,
    policy: "forbids",
    callerFields: "kept",
    upstream,
    connect: () => dial(port),
    close: () => {
      server.close();
      upstream.close();
    },
  };
}

async function listening(server: Server | TcpServer): Promise<number> {
  await once(server.listen(0, LOOPBACK).unref(), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP server");
  return address.port;
}
