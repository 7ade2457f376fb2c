// A gRPC client that resolves `xds:///` and prints one JSON line: node caller.mjs TARGET METHOD [TIMES]. It calls in turn, 100 ms
// apart, and says what the first call that failed was told, or else the first.

import { setTimeout as delay } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { register, XdsChannelCredentials } from "@grpc/grpc-js-xds";
import { method } from "./parrot-method.mjs";

const [target, name, times = "1"] = process.argv.slice(2);
const PAUSE_MS = 100;
const DEADLINE_MS = Number(process.env.DEADLINE_MS ?? 15_000);

register();
const { path, requestSerialize, responseDeserialize } = method(name);
const client = new Client(target, new XdsChannelCredentials(credentials.createInsecure()));

function call() {
  return new Promise((resolve) => {
    const deadline = Date.now() + DEADLINE_MS;
    const done = (error, answer) =>
      resolve(error ? { code: error.code, details: error.details } : { code: 0, answer });
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      "hello",
      { deadline },
      done,
    );
  });
}

const answers = [];
for (let index = 0; index < Number(times); index++) {
  if (index > 0) await delay(PAUSE_MS);
  answers.push(await call());
}
const failed = answers.filter(({ code }) => code !== 0);
console.log(
  JSON.stringify({ ...(failed[0] ?? answers[0]), calls: answers.length, failed: failed.length }),
);
client.close();
process.exit(0);
