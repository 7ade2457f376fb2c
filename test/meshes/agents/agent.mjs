// Runs in a pod and does what it is told over a unix socket in its TMPDIR, one JSON line each way: listen, call, keep a
// connection and use it again, look up a name, run a program. Whoever connects to it is told which pod it is.
import { execFile } from "node:child_process";
import { lookup } from "node:dns/promises";
import { createConnection, createServer } from "node:net";
import { hostname } from "node:os";
import { createInterface } from "node:readline";

const SOCKET = `${process.env.TMPDIR}/agent.sock`;
const WAIT_MS = 1_500;
const listening = new Map();
let kept;

const orders = {
  listen: ({ ports }) => Promise.all(ports.map(listen)).then(() => "listening"),
  call: ({ address, port }) => firstAnswer(createConnection({ host: address, port }), "end"),
  keep: ({ address, port }) => {
    kept?.destroy();
    kept = createConnection({ host: address, port });
    return firstAnswer(kept, "keep");
  },
  say: () => {
    if (kept.destroyed) return "closed";
    kept.write("again\n");
    return firstAnswer(kept, "keep");
  },
  "look-up": ({ name }) =>
    lookup(name, { all: true }).then(
      (found) => found.map(({ address }) => address),
      ({ code }) => code,
    ),
  run: ({ command: [program, ...parameters], timeoutMs = 20_000 }) =>
    new Promise((resolve) => {
      execFile(program, parameters, { timeout: timeoutMs }, (error, output, errors) =>
        resolve({ code: error === null ? 0 : (error.code ?? "killed"), output, errors }),
      );
    }),
};

function listen(port) {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", () => socket.write(`${hostname()}\n`));
    socket.write(`${hostname()}\n`);
  });
  const open = new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "::", resolve);
  });
  if (!listening.has(port)) listening.set(port, open);
  else server.close();
  return listening.get(port);
}

/** What the other side says, or the code of the failure. */
function firstAnswer(socket, after) {
  return new Promise((resolve) => {
    const finish = (result) => {
      clearTimeout(timer);
      socket.removeAllListeners("data");
      socket.removeAllListeners("close");
      socket.on("error", () => socket.destroy());
      if (after === "end") socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish("silence"), WAIT_MS);
    socket.once("data", (data) => finish(data.toString().split("\n")[0]));
    socket.once("error", ({ code }) => finish(code));
    socket.once("close", () => finish("closed"));
  });
}

const server = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).on("line", async (line) => {
    const { order, ...details } = JSON.parse(line);
    const result = await Promise.resolve(orders[order](details)).catch(String);
    socket.write(`${JSON.stringify({ result })}\n`);
  });
});
server.listen(SOCKET);
process.on("SIGTERM", () => process.exit(0));
