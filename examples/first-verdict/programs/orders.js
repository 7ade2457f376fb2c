/**
 * Takes orders from the demo: which call to make. The call itself is made by this program, in its own process, the way
 * any program makes one. Orders come over a loopback port that this program writes into its own temporary folder.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PATIENCE_MS = 5_000;
const connections = new Map();

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

async function carryOut(request) {
  const order = { ...addressOf(request.service), ...request };
  try {
    if (order.call === "http") return await callHttp(order);
    if (order.call === "tcp") return await callTcp(order);
    return { error: `no such call: ${order.call}` };
  } catch (error) {
    return { error: error.code ?? error.message, localPort: error.localPort };
  }
}

/** Where a service is, as Kubernetes and the mesh tell every program. */
function addressOf(service) {
  if (service === undefined) return {};
  const name = service.toUpperCase();
  return { host: process.env[`${name}_SERVICE_HOST`], port: process.env[`${name}_SERVICE_PORT`] };
}

/** One HTTP request on a connection of its own. */
function callHttp({ host, port, method, path, authority, requestId }) {
  return new Promise((resolve, reject) => {
    let localPort;
    const id = process.env.OWN_REQUEST_IDS === undefined ? requestId : randomUUID();
    const headers = { host: authority, "x-request-id": id };
    const outgoing = request({
      host,
      port,
      method,
      path,
      headers,
      agent: false,
      timeout: PATIENCE_MS,
    });
    outgoing.on("socket", (socket) =>
      socket.on("connect", () => {
        localPort = socket.localPort;
      }),
    );
    outgoing.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode, body, localPort }));
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.on("error", (error) => reject(Object.assign(error, { localPort })));
    outgoing.end();
  });
}

/** One line out, one line back; `keep` names a connection that stays open for a later order. */
async function callTcp({ host, port, line, keep }) {
  const known = connections.get(keep);
  const socket = known ?? connect({ host, port });
  if (known === undefined) {
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    if (keep !== undefined) connections.set(keep, socket);
  }
  const { localPort } = socket;
  if (socket.destroyed) return { error: "the connection had ended", localPort };
  const answer = new Promise((resolve, reject) => {
    const fail = (message) => reject(Object.assign(new Error(message), { localPort }));
    socket.setTimeout(PATIENCE_MS, () => fail("no answer"));
    socket.once("data", (data) => resolve(String(data).trim()));
    socket.once("error", (error) => fail(error.code ?? error.message));
    socket.once("close", () => fail("closed without an answer"));
  });
  socket.write(`${line}\n`);
  try {
    return { answer: await answer, localPort };
  } finally {
    socket.removeAllListeners();
    socket.on("error", () => socket.destroy());
    if (keep === undefined) socket.destroy();
  }
}
