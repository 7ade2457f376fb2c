/** Calls at a steady rate, whatever comes of it, and says every half second how that went. */
import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const { CALLEE_SERVICE_HOST: host, CALLEE_SERVICE_PORT: port, RATE: rate } = process.env;
const failures = new Map();
let sent = 0;
let answered = 0;
let began;

const fail = (what) => failures.set(what, (failures.get(what) ?? 0) + 1);

function call(path, done = () => {}) {
  const asked = request({ host, port, agent, path }, (response) => {
    response.resume();
    done(response.statusCode);
  });
  asked.on("error", (error) => done(error.code ?? error.message));
  asked.end();
}

function callOften() {
  for (const due = ((performance.now() - began) / 1_000) * Number(rate); sent < due; sent++)
    call("/steady", (outcome) => {
      if (outcome === 200) answered++;
      else fail(String(outcome));
    });
}

/** Not before the other side answers at all. */
function begin() {
  call("/first", (outcome) => {
    if (outcome !== 200) return setTimeout(begin, 50);
    call("/denied");
    call("/tried");
    began = performance.now();
    setInterval(callOften, 5);
    setInterval(() => call("/slow", (outcome) => outcome === 200 || fail(`slow ${outcome}`)), 500);
    setInterval(() => {
      console.log(JSON.stringify({ sent, answered, failures: Object.fromEntries(failures) }));
    }, 500);
  });
}

begin();
