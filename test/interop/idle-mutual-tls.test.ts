/** Ten thousand callers with mutual TLS connections of their own, as foreign sidecars have them, that idle in one sidecar. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { AbusedSidecar } from "../kit/abuse/abused-sidecar.ts";

const CONNECTIONS = 10_000;
/** Each is one in the sidecar and one here. */
const DESCRIPTORS = CONNECTIONS + 500;
const AT_ONCE = 32;
const IDLE_MS = 5_000;
/** Before the sidecar would end what idles (65 s): on a slow machine the first must not be gone when the last comes. */
const ASKED_AGAIN_MS = 40_000;
const PAUSE_MS = 500;
const SOME = 100;
const MOST_KIB = 90;
const REQUEST = "GET /hello HTTP/1.1\r\nHost: api\r\n\r\n";

test(`${CONNECTIONS} mutual TLS connections idle in a sidecar`, {
  timeout: 290_000,
}, async (context) => {
  const limit = await descriptorLimit();
  if (limit < DESCRIPTORS) return context.skip(`only ${limit} descriptors a process`);
  const sidecar = await AbusedSidecar.start();
  try {
    await ask(await sidecar.connect("http", "mutual TLS"));
    const before = await sidecar.process.memory();
    const begun = performance.now();
    const crowd = await gather(sidecar);
    const tookMs = performance.now() - begun;
    await delay(IDLE_MS);
    const each = ((await sidecar.process.memory()) - before) * (1_024 / CONNECTIONS);
    const asked = performance.now();
    for (let at = 0; at < CONNECTIONS; at += CONNECTIONS / SOME) await ask(crowd[at]);
    const askedMs = performance.now() - asked;
    context.diagnostic(
      `gathered in ${tookMs.toFixed(0)} ms; ${each.toFixed(1)} KiB each; ${SOME} asked in ${askedMs.toFixed(0)} ms`,
    );
    assert.ok(each < MOST_KIB, `${each.toFixed(1)} KiB each`);
  } finally {
    await sidecar.stop();
  }
});

async function gather(sidecar: AbusedSidecar): Promise<readonly Socket[]> {
  const crowd: Socket[] = [];
  let isOver = false;
  const remind = async (): Promise<void> => {
    for (let at = 0; !isOver; at = (at + 1) % Math.max(1, crowd.length)) {
      await delay(Math.min(PAUSE_MS, ASKED_AGAIN_MS / crowd.length));
      await ask(crowd[at]);
    }
  };
  const open = async (): Promise<void> => {
    while (crowd.length + opening < CONNECTIONS) {
      opening++;
      const socket = await sidecar.connect("http", "mutual TLS");
      await ask(socket);
      opening--;
      crowd.push(socket);
    }
  };
  let opening = 0;
  const reminding = remind();
  await Promise.all(Array.from({ length: AT_ONCE }, open));
  isOver = true;
  await reminding;
  return crowd;
}

async function ask(socket: Socket | undefined): Promise<void> {
  if (socket === undefined) return;
  assert.ok(!socket.destroyed, "a connection has ended");
  socket.write(REQUEST);
  let answer = "";
  while (!answer.endsWith("ok")) {
    const [piece]: unknown[] = await once(socket, "data");
    answer += String(piece);
  }
  assert.match(answer, /^HTTP\/1\.1 200 /);
}

/** Of this process, and so of those that it starts. */
async function descriptorLimit(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8");
  const [, hard = "0"] = /^Max open files\s+\d+\s+(\d+)/m.exec(limits) ?? [];
  return Number(hard);
}
