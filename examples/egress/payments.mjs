/** A server outside the mesh, which tells who paid: TLS alone, and only for clients of its own authority. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

const read = (file) => readFileSync(new URL(file, import.meta.url));
const options = {
  cert: read("payments.example.com.crt"),
  key: read("payments.example.com.key"),
  ca: read("ca.crt"),
  requestCert: true,
  rejectUnauthorized: true,
};
createServer(options, ({ socket }, response) => {
  response.end(`paid by ${socket.getPeerX509Certificate().subjectAltName}\n`);
}).listen(9443, "127.0.0.1");
