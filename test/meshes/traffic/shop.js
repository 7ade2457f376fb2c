/**
 * An HTTP/1.1 service: answers with as many octets as it is asked for, made from the request's id, so that a caller can
 * tell its own answer from anybody else's. When it is to end it serves on until its callers have heard of it.
 */
import { createServer } from "node:http";
import { bodyOf } from "./bodies.js";

const SERVES_ON_MS = 2_000;

const server = createServer((request, response) => {
  if (request.url === "/ready") {
    response.end();
    return;
  }
  const id = request.headers["x-request-id"];
  let received = 0;
  request.on("data", (part) => {
    received += part.length;
  });
  request.on("end", () => {
    const length = Number(new URL(request.url, "http://shop").searchParams.get("length") ?? 0);
    const body = bodyOf(id, length);
    response.writeHead(200, { "x-answers": id, "x-received": received, "content-length": length });
    response.end(body);
  });
});
server.listen(Number(process.env.PORT), process.env.HOST);
process.on("SIGTERM", () => setTimeout(() => process.exit(), SERVES_ON_MS));
