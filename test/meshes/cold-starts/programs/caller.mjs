/** Calls an address without pause, and notes each pod that answers for the first time in /tmp/answers.log. */
import { appendFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

const PAUSE_MS = 20;
const [url = ""] = process.argv.slice(2);
const known = new Set();

for (;;) {
  const name = await call();
  if (name !== undefined && !known.has(name)) {
    known.add(name);
    appendFileSync("/tmp/answers.log", `${JSON.stringify({ at: Date.now(), name })}\n`);
  }
  await delay(PAUSE_MS);
}

/** The name that the answering pod says; undefined when none answers as it should. */
function call() {
  return new Promise((resolve) => {
    const request = get(
      url,
      { agent: new Agent({ keepAlive: false }), timeout: 500 },
      (response) => {
        let body = "";
        response.on("data", (part) => {
          body += part;
        });
        response.on("end", () => resolve(response.statusCode === 200 ? body : undefined));
        response.on("error", () => resolve(undefined));
      },
    );
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(undefined));
  });
}
