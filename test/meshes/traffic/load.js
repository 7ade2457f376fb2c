/**
 * Sends a mix of requests through its sidecar: for some seconds as many as are answered, and then for ever, by the clock,
 * a share of what was found. Prints a line for each second, and one for each request that did not go as it should.
 */
import { bodyOf } from "./bodies.js";
import { RawClient } from "./raw-client.js";
import { RpcClient } from "./rpc-client.js";

const WARM_MS = 3_000;
const MEASURED_MS = Number(process.env.MEASURED_SECONDS) * 1_000;
const SHARE = Number(process.env.SHARE_OF_SATURATION);
const WORKERS = 64;
const TICK_MS = 5;
const PATIENCE_MS = 10_000;
/** More than that are not sent: the machine, not the mesh, is behind. */
const MOST_OUTSTANDING = 2_000;

const KIB = 1024;
const SHOP = { host: process.env.SHOP_SERVICE_HOST, port: process.env.SHOP_SERVICE_PORT };
const STOCK = { host: process.env.STOCK_SERVICE_HOST, port: process.env.STOCK_SERVICE_PORT };
const shop = new RawClient(SHOP);
const stock = new RpcClient(STOCK, "stock:9090");

/** In parts of a hundred. */
const MIX = [
  ...Array(58).fill("small"),
  ...Array(18).fill("large"),
  ...Array(8).fill("upload"),
  ...Array(2).fill("parts"),
  ...Array(4).fill("fresh"),
  ...Array(10).fill("call"),
];
/** Beside the mix, so many a second. */
const APART = { guarded: 10, slow: 2, talk: 3 };

const KINDS = {
  small: (id, done) => get(id, { length: 200 }, done),
  large: (id, done) => get(id, { length: 10 * KIB }, done),
  fresh: (id, done) => get(id, { length: 200, fresh: true }, done),
  guarded: (id, done) => get(id, { length: 200, folder: "guarded" }, done),
  slow: (id, done) => get(id, { length: KIB * KIB, fresh: true, pace: 1024 * KIB }, done),
  upload: (id, done) => upload(id, bodyOf(id, 10 * KIB), done),
  parts: (id, done) => upload(id, Array(4).fill(bodyOf(id, 16 * KIB)), done),
  call: (id, done) => call(id, { messages: [bodyOf(id, 200)], everyMs: 0 }, done),
  talk: (id, done) => call(id, { messages: Array(5).fill(bodyOf(id, KIB)), everyMs: 100 }, done),
};

function get(id, { length, folder = "goods", fresh, pace }, done) {
  const head = `GET /${folder}/${id}?length=${length} HTTP/1.1\r\nhost: shop:8080\r\nx-request-id: ${id}\r\n\r\n`;
  shop.send({ head, fresh, pace, patienceMs: PATIENCE_MS }, (outcome) =>
    done(outcome, problemOf(outcome, { id, length, received: 0 })),
  );
}

function upload(id, body, done) {
  const parts = Array.isArray(body) ? body : [body];
  const received = parts.reduce((sum, { length }) => sum + length, 0);
  const framing = Array.isArray(body)
    ? "transfer-encoding: chunked"
    : `content-length: ${received}`;
  const head = `POST /orders/${id}?length=200 HTTP/1.1\r\nhost: shop:8080\r\nx-request-id: ${id}\r\n${framing}\r\n\r\n`;
  const sent = Array.isArray(body) ? chunksOf(parts) : body;
  shop.send({ head, body: sent, patienceMs: PATIENCE_MS }, (outcome) =>
    done(outcome, problemOf(outcome, { id, length: 200, received })),
  );
}

function chunksOf(parts) {
  const chunks = parts.map((part) =>
    Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]),
  );
  return [...chunks, Buffer.from("0\r\n\r\n")];
}

function call(id, { messages, everyMs }, done) {
  const path = `/warehouse/${id}`;
  stock.call({ id, path, messages, everyMs, patienceMs: PATIENCE_MS }, (outcome) => {
    const { error, status, answers, grpcStatus, body } = outcome;
    if (error !== undefined) done(outcome, error);
    else if (status !== 200) done(outcome, `status ${status}`);
    else if (grpcStatus !== "0") done(outcome, `grpc-status ${grpcStatus}`);
    else if (answers !== id) done(outcome, `the answer for ${answers}`);
    else done(outcome, body.equals(Buffer.concat(messages)) ? undefined : "another body");
  });
}

/** What is wrong with an answer; undefined when all is well. */
function problemOf({ error, status, head, body }, { id, length, received }) {
  if (error !== undefined) return error;
  if (status !== 200) return `status ${status}`;
  if (!head.includes(`\r\nx-answers: ${id}\r\n`)) return "an answer for another request";
  if (!head.includes(`\r\nx-received: ${received}\r\n`)) return "not all was received";
  return body.equals(bodyOf(id, length)) ? undefined : "another body";
}

let count = 0;
let outstanding = 0;
let second = newSecond();

function newSecond() {
  return { sent: 0, failed: 0, shed: 0, times: [] };
}

function send(kind, then) {
  const id = `m-${count++}`;
  const sentAt = Date.now();
  const began = performance.now();
  outstanding++;
  second.sent++;
  KINDS[kind](id, ({ body, head, ...outcome }, problem) => {
    const ms = performance.now() - began;
    outstanding--;
    if (kind !== "slow" && kind !== "talk" && kind !== "parts") second.times.push(ms);
    if (problem !== undefined) second.failed++;
    if (problem !== undefined || kind === "guarded") {
      const text =
        problem?.startsWith("status") && body ? body.toString("latin1").slice(0, 200) : undefined;
      const begins = problem?.startsWith("status") || head === undefined ? undefined : head;
      print({ id, kind, sentAt, ms: Math.round(ms), problem, ...outcome, text, head: begins });
    }
    then?.();
  });
}

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function tellSecond() {
  const { sent, failed, shed, times } = second;
  second = newSecond();
  times.sort((one, other) => one - other);
  const at = (share) => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10;
  print({
    second: Date.now(),
    sent,
    failed,
    shed,
    outstanding,
    p50: at(0.5),
    p99: at(0.99),
    most: at(0.9999),
  });
}

const anyOfMix = () => MIX[Math.floor(Math.random() * MIX.length)];

async function saturate() {
  let isOver = false;
  let ended = 0;
  const work = () => {
    ended++;
    if (!isOver) send(anyOfMix(), work);
  };
  for (let worker = 0; worker < WORKERS; worker++) work();
  await new Promise((resolve) => setTimeout(resolve, WARM_MS));
  const before = ended;
  await new Promise((resolve) => setTimeout(resolve, MEASURED_MS));
  isOver = true;
  return ((ended - before) * 1_000) / MEASURED_MS;
}

function goOn(perSecond) {
  let last = performance.now();
  let owed = 0;
  setInterval(() => {
    const now = performance.now();
    owed += ((now - last) * perSecond) / 1_000;
    last = now;
    for (; owed >= 1; owed--) {
      if (outstanding < MOST_OUTSTANDING) send(anyOfMix());
      else second.shed++;
    }
  }, TICK_MS);
  for (const [kind, rate] of Object.entries(APART)) setInterval(() => send(kind), 1_000 / rate);
}

/** Who has only just been started knows no endpoints yet. */
async function untilServed() {
  for (let good = 0; good < 20; ) {
    const problems = await Promise.all(
      ["small", "call"].map(
        (kind) => new Promise((tell) => KINDS[kind]("first", (_outcome, problem) => tell(problem))),
      ),
    );
    good = problems.every((problem) => problem === undefined) ? good + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

await untilServed();
setInterval(tellSecond, 1_000);
const saturation = await saturate();
const perSecond = Math.round(saturation * SHARE);
print({ saturation: Math.round(saturation), perSecond });
goOn(perSecond);
