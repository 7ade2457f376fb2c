/**
 * Sends requests at a steady rate to one URL by the pod's proxy, for ever, and prints the outcome of each: when it was
 * sent, how it ended, how long it took. Every tenth has a connection of its own.
 */
import { Agent, request } from "node:http";

const url = process.argv[2];
const proxy = new URL(process.env.HTTP_PROXY);
const credentials = Buffer.from(
  `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`,
).toString("base64");
const keepAlive = new Agent({ keepAlive: true, maxSockets: 8 });
const PATIENCE_MS = 5_000;
let count = 0;

function send() {
  const kept = count++ % 10 !== 0;
  const sentAt = Date.now();
  const print = (outcome) =>
    process.stdout.write(
      `${JSON.stringify({ sentAt, kept, ms: Date.now() - sentAt, ...outcome })}\n`,
    );
  const outgoing = request({
    host: proxy.hostname,
    port: proxy.port,
    path: url,
    headers: { host: new URL(url).host, "proxy-authorization": `Basic ${credentials}` },
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
