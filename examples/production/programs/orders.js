/**
 * Takes orders from the demo: which call to make. The call itself is made by this program, in its own process, the way
 * it makes all its calls. Orders come over a loopback port that this program writes into its own temporary folder.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeAttempt } from "./attempts.js";
import { callHttp } from "./call-http.js";
import { callTcp } from "./call-tcp.js";

/** One connection, kept open: for orders that ask for it. */
const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 });

export function takeOrders() {
  const password = randomBytes(16).toString("hex");
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface({ input: socket }).on("line", async (line) => {
      const order = JSON.parse(line);
      if (order.password !== password) return socket.destroy();
      socket.write(`${JSON.stringify(await carryOut(order))}\n`);
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const file = join(process.env.TMPDIR, "orders.json");
    const { port } = server.address();
    writeFileSync(file, JSON.stringify({ port, password }), { mode: 0o600 });
  });
}

async function carryOut(order) {
  try {
    if (order.call === "http") return await makeRequest(order);
    if (order.call === "tcp") return await sendLine(order);
    if (order.call === "attempt") return await makeAttempt(order);
    return { error: `no such call: ${order.call}` };
  } catch (error) {
    return { error: error.code ?? error.message, localPort: error.localPort };
  }
}

function makeRequest({ authority, host, port, method, path, headers, requestId, keep }) {
  const id = process.env.OWN_REQUEST_IDS === undefined ? requestId : randomUUID();
  return callHttp({
    service: authority,
    ...(host === undefined ? {} : { at: { host, port } }),
    method,
    path,
    headers: { ...headers, "x-request-id": id },
    ...(keep === undefined ? {} : { agent: keepAlive }),
  });
}

function sendLine({ service, host, port, line, keep }) {
  const prefix = service?.toUpperCase();
  return callTcp({
    host: host ?? process.env[`${prefix}_SERVICE_HOST`],
    port: port ?? process.env[`${prefix}_SERVICE_PORT`],
    line,
    keep,
  });
}
