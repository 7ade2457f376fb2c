/** Answers HTTP with the pod's name, and notes who asked: one JSON line each in /tmp/arrivals.log. */
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { hostname } from "node:os";

const name = hostname();
const server = createServer((request, response) => {
  note({
    path: request.url,
    certificate: request.headers["x-forwarded-client-cert"] ?? "",
    ...fromOf(request.socket),
  });
  response.end(name);
});
server.on("connection", (socket) => note({ connection: "opened", ...fromOf(socket) }));
server.listen(8080, "::");

function fromOf(socket) {
  return { from: socket.remoteAddress ?? "" };
}

function note(what) {
  appendFileSync("/tmp/arrivals.log", `${JSON.stringify({ at: Date.now(), ...what })}\n`);
}
