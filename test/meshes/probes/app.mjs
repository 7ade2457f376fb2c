// Serves HTTP, gRPC's health service and plain TCP, each on a port of its own, and nothing but what probes ask for.
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";

const [kind, containerPort] = process.argv.slice(2);
const port = process.env[`PORT_${containerPort}`] ?? containerPort;
const host = process.env.HOST ?? "::";

const PATHS = {
  "/start?for=you": [200],
  "/moved": [302, { location: "/ready?really" }],
  "/ready?really": [200],
  "/away": [302, { location: "http://elsewhere.example/" }],
};

function http() {
  return createHttpServer((request, response) => {
    const [status, headers = {}] = PATHS[request.url] ?? [404];
    response.writeHead(status, headers).end();
  });
}

function grpc() {
  const server = createHttp2Server();
  server.on("stream", (stream) => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1])); // SERVING
  });
  return server;
}

function tcp() {
  return createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end();
  });
}

const server = { http, grpc, tcp }[kind]();
server.listen(Number(port), host);
