/** Answers every request: what asks for it, a second and a half later. */
import { createServer } from "node:http";

const SLOW_MS = 1_500;

const server = createServer((request, response) =>
  request.url.startsWith("/slow")
    ? setTimeout(() => response.end("slow"), SLOW_MS)
    : response.end("hello"),
);
server.listen(Number(process.env.PORT), process.env.HOST);
