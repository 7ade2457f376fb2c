// What every pod of the articles' mesh runs. It answers HTTP on PORTS with what it was told, says its host name to whoever
// connects to TCP_PORTS, and runs the programs that tests tell it over a unix socket in its TMPDIR, one JSON line each way.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { createInterface } from "node:readline";

const { PORTS = "", TCP_PORTS = "", TLS_PORTS = "", TMPDIR } = process.env;
const numbers = (text) => text.split(",").filter(Boolean).map(Number);
const TIMEOUT_MS = 20_000;

function answer({ method, url, headers }, response) {
  process.stdout.write(`${method} ${url}\n`);
  response.end(`${JSON.stringify({ from: hostname(), method, url, headers })}\n`);
}
for (const port of numbers(PORTS)) createHttpServer(answer).listen(port, "0.0.0.0");

for (const port of numbers(TCP_PORTS)) {
  createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(`${hostname()} ${port}\n`);
  }).listen(port, "0.0.0.0");
}

// An identity provider: it shows everybody its keys.
for (const port of numbers(TLS_PORTS)) {
  const read = (name) => readFileSync(`/identity/${name}`, "utf8");
  createHttpsServer({ cert: read("chain.pem"), key: read("key.pem") }, (_request, response) => {
    response.setHeader("content-type", "application/json").end(read("jwks.json"));
  }).listen(port, "0.0.0.0");
}

createServer((socket) => {
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).on("line", (line) => {
    const {
      command: [program, ...parameters],
    } = JSON.parse(line);
    execFile(program, parameters, { timeout: TIMEOUT_MS }, (error, output, errors) => {
      const code = error === null ? 0 : (error.code ?? "killed");
      socket.write(`${JSON.stringify({ result: { code, output, errors } })}\n`);
    });
  });
}).listen(`${TMPDIR}/agent.sock`);
process.on("SIGTERM", () => process.exit(0));
