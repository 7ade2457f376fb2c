/**
 * Sends requests at a steady rate to one service, for ever, every second one on a connection of its own, and prints the
 * outcome of each: when it was sent, how it ended, how long it took.
 */
import { Agent, request } from "node:http";

const name = process.argv[2];
const host = process.env[`${name}_SERVICE_HOST`];
const port = process.env[`${name}_SERVICE_PORT`];
const authority = `${name.toLowerCase()}:8080`;
const keepAlive = new Agent({ keepAlive: true, maxSockets: 1 });
const PATIENCE_MS = 2_000;
let count = 0;

function send() {
  const kept = count++ % 2 === 0;
  const sentAt = Date.now();
  const print = (outcome) =>
    process.stdout.write(
      `${JSON.stringify({ sentAt, kept, ms: Date.now() - sentAt, ...outcome })}\n`,
    );
  const outgoing = request({
    host,
    port,
    path: "/",
    headers: { host: authority },
    agent: kept ? keepAlive : false,
    timeout: PATIENCE_MS,
  });
  outgoing.on("response", (response) => {
    response.resume();
    response.on("end", () => print({ status: response.statusCode }));
    response.on("error", (error) => print({ error: error.code ?? error.message }));
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
  outgoing.on("error", (error) => print({ error: error.code ?? error.message }));
  outgoing.end();
}

setInterval(send, 1_000 / Number(process.env.REQUESTS_PER_SECOND));
