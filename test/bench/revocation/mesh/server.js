/** HTTP/1.1, HTTP/2 and TCP: answers, answers that never end, and bytes said again. */
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";

const { HOST, PORT_8080, PORT_8081, PORT_8082 } = process.env;
const PAUSE_MS = 20;

/** @param {import("node:stream").Writable} stream */
function sayForever(stream) {
  const timer = setInterval(() => stream.write("more\n"), PAUSE_MS);
  stream.on("error", () => stream.destroy());
  stream.once("close", () => clearInterval(timer));
}

createServer((request, response) => {
  if (request.url === "/endless") sayForever(response);
  else response.end("hello");
}).listen(Number(PORT_8080), HOST);

createHttp2Server()
  .on("stream", (stream, headers) => {
    stream.on("error", () => stream.destroy());
    stream.respond({ ":status": 200 });
    if (headers[":path"] === "/endless") sayForever(stream);
    else stream.end("hello");
  })
  .listen(Number(PORT_8081), HOST);

createTcpServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
}).listen(Number(PORT_8082), HOST);
