/** Asks for the orders at a steady rate, and tries to delete them after each ten; prints how each call ended. */
import { request } from "node:http";

const { API_SERVICE_HOST: host, API_SERVICE_PORT: port, CALLS_PER_SECOND: rate } = process.env;
const PATIENCE_MS = 2_000;
let count = 0;

function call() {
  const method = ++count % 10 === 0 ? "DELETE" : "GET";
  const sentAt = Date.now();
  const print = (outcome) =>
    console.log(JSON.stringify({ sentAt, ms: Date.now() - sentAt, method, ...outcome }));
  const outgoing = request({
    host,
    port,
    method,
    path: "/orders",
    headers: { host: "api:8080" },
    agent: false,
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

setInterval(call, 1_000 / Number(rate));
