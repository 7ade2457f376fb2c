// What every pod of the articles' mesh runs. It answers HTTP on PORTS with what it was told, says its name to whoever
// says something on TCP_PORTS, and shows everybody its keys on TLS_PORTS, as an identity provider does.
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";

const { PORTS = "", TCP_PORTS = "", TLS_PORTS = "", HOST = "0.0.0.0", POD } = process.env;
/** Where pods share the machine's loopback, each port has another in its place. */
const numbers = (text) =>
  text
    .split(",")
    .filter(Boolean)
    .map((port) => Number(process.env[`PORT_${port}`] ?? port));

function answer({ method, url, headers }, response) {
  process.stdout.write(`${method} ${url}\n`);
  response.end(`${JSON.stringify({ from: POD, method, url, headers })}\n`);
}
for (const port of numbers(PORTS)) createHttpServer(answer).listen(port, HOST);

for (const port of numbers(TCP_PORTS)) {
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end(`${POD} ${port}\n`));
  }).listen(port, HOST);
}

for (const port of numbers(TLS_PORTS)) {
  const read = (name) => readFileSync(`/identity/${name}`, "utf8");
  createHttpsServer({ cert: read("chain.pem"), key: read("key.pem") }, (_request, response) => {
    response.setHeader("content-type", "application/json").end(read("jwks.json"));
  }).listen(port, HOST);
}
setInterval(() => {}, 60_000); // some only call others
process.on("SIGTERM", () => process.exit(0));
