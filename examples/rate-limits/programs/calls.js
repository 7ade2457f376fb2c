/** Calls the api so many times a second, and says each second how many of each answer there were. */
import { Agent, request } from "node:http";

const perSecond = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let answers = new Map();

function call() {
  const tell = (answer) => answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const sent = request(target(process.env.http_proxy), (response) => {
    response.resume().on("end", () => tell(response.statusCode));
  });
  sent.on("error", () => tell("failed"));
  sent.end();
}

/** On loopback by the sidecar's proxy; where the pod has a network of its own, as if there were no sidecar. */
function target(proxy) {
  if (proxy === undefined) return { agent, host: "api", port: 8080, path: "/" };
  const { hostname: host, port, username, password } = new URL(proxy);
  const credentials = Buffer.from(`${username}:${password}`).toString("base64");
  const headers = { host: "api:8080", "proxy-authorization": `Basic ${credentials}` };
  return { agent, host, port, path: "http://api:8080/", headers };
}

let made = 0;
setInterval(() => {
  for (; made < (performance.now() / 1_000) * perSecond; made++) call();
}, 2);

setInterval(() => {
  const told = [...answers].sort().map(([answer, count]) => `${count} x ${answer}`);
  console.log(told.join(", "));
  answers = new Map();
}, 1_000);
