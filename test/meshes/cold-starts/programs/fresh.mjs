/** Listens, and at once calls a service and an address outside the mesh; how that went is in /tmp/outcome.json. */
import { renameSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { hostname } from "node:os";
import "./listener.mjs";

const [outsideHost, outsidePort] = process.argv.slice(2);
const name = hostname();
const [service, outside] = await Promise.all([
  attempt(callService()),
  outsideHost === undefined ? "not tried" : attempt(callOutside()),
]);
writeFileSync("/tmp/outcome.part", JSON.stringify({ service, outside }));
renameSync("/tmp/outcome.part", "/tmp/outcome.json");

async function callService() {
  const response = await fetch(`http://target.starts:8080/${name}`);
  return `${response.status} ${await response.text()}`;
}

function callOutside() {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(outsidePort), outsideHost, () => socket.write(`${name}\n`));
    socket.setTimeout(5_000, () => socket.destroy(new Error("no answer within 5 s")));
    socket.once("data", (data) => {
      resolve(String(data));
      socket.end();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed without an answer")));
  });
}

async function attempt(call) {
  try {
    return await call;
  } catch (error) {
    return `failed: ${error.cause?.code ?? error.code ?? error.message}`;
  }
}
