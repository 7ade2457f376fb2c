/** Sends 50 requests a second to api-service for ever, by turns one below /api and one beside it, and prints how each ended. */
const { request } = require("node:http");

const { API_SERVICE_SERVICE_HOST: host, API_SERVICE_SERVICE_PORT: port } = process.env;
const PATHS = ["/api/orders", "/public"];
const PATIENCE_MS = 3_000;
let count = 0;

function send() {
  const number = count++;
  const path = PATHS[number % PATHS.length];
  const sentAt = Date.now();
  const print = (outcome) =>
    process.stdout.write(
      `${JSON.stringify({ sentAt, method: path, ms: Date.now() - sentAt, ...outcome })}\n`,
    );
  const outgoing = request({ host, port, path: `${path}?${number}`, timeout: PATIENCE_MS });
  outgoing.on("response", (response) => {
    response.resume();
    response.on("end", () => print({ number, status: response.statusCode }));
    response.on("error", (error) => print({ number, error: error.code ?? error.message }));
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error("no answer")));
  outgoing.on("error", (error) => print({ number, error: error.code ?? error.message }));
  outgoing.end();
}

setInterval(send, 20);
