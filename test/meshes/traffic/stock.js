/**
 * Speaks gRPC's form of HTTP/2, with prior knowledge: each message is sent back as it came, and the status follows as a
 * trailer. When it is to end it serves on until its callers have heard of it.
 */
import { createServer } from "node:http2";

const SERVES_ON_MS = 2_000;

const server = createServer();
server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", "x-answers": headers["x-request-id"] },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.pipe(stream);
});
server.listen(Number(process.env.PORT), process.env.HOST);
process.on("SIGTERM", () => setTimeout(() => process.exit(), SERVES_ON_MS));
