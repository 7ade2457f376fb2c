/** One kind of abuse, by many connections at once; what the sidecar may hold of it, and how others fare meanwhile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type AbusedPort, AbusedSidecar, type Transport } from "./abused-sidecar.ts";

export interface Abuse {
  readonly what: string;
  readonly port: AbusedPort;
  readonly transport?: Transport;
  /** At once. */
  readonly connections: number;
  /** Written by each connection. @param time counts from 0; undefined: that was all */
  readonly next: (time: number) => Buffer | undefined;
  /** Octets after which an attacker writes no more. */
  readonly most: number;
  /** "deaf": it reads nothing of what is answered. */
  readonly hearing: "reads" | "deaf";
  /** What becomes of each connection while it writes. */
  readonly becomes: "ended" | "kept";
  /** MiB by which the sidecar may grow. */
  readonly mostMib: number;
}

/** How long a client that behaves may wait for an answer: this machine runs attackers and application as well. */
const PATIENCE_MS = 10_000;
/** Attackers that have written all then wait: what they are owed piles up. */
const AFTERMATH_MS = 1_000;
const GIVE_UP_MS = 15_000;

export function testAbuse(abuse: Abuse): void {
  const { what, connections, transport = "plaintext", mostMib, becomes } = abuse;
  const title = `${what}, ${connections} times at once, over ${transport}`;
  test(title, { timeout: 60_000 }, async (context) => {
    const sidecar = await AbusedSidecar.start();
    try {
      await sidecar.longestWaitDuring(() => delay(200));
      let ends: readonly ("ended" | "kept")[] = [];
      let wait = 0;
      const growth = await sidecar.process.growthDuring(async () => {
        wait = await sidecar.longestWaitDuring(async () => {
          ends = await attack(sidecar, abuse);
        });
      });
      tell(context, { growth, wait });
      assert.ok(sidecar.process.isRunning);
      assert.deepEqual(new Set(ends), new Set([becomes]));
      assert.ok(growth < mostMib, `the sidecar has grown by ${growth.toFixed(1)} MiB`);
      assert.ok(wait < PATIENCE_MS, `a client that behaves waited ${wait.toFixed(0)} ms`);
    } finally {
      await sidecar.stop();
    }
  });
}

function tell(context: TestContext, { growth, wait }: { growth: number; wait: number }): void {
  const held = `${growth.toFixed(1)} MiB`;
  context.diagnostic(`grew by ${held}; the longest wait of others: ${wait.toFixed(0)} ms`);
}

async function attack(
  sidecar: AbusedSidecar,
  abuse: Abuse,
): Promise<readonly ("ended" | "kept")[]> {
  const { port, transport = "plaintext", connections } = abuse;
  const attackers: Promise<"ended" | "kept">[] = [];
  for (let count = 0; count < connections; count++) {
    const socket = await sidecar.connect(port, transport);
    attackers.push(flood(socket, abuse));
  }
  const ends = await Promise.all(attackers);
  if (abuse.becomes === "kept") await delay(AFTERMATH_MS);
  return ends;
}

async function flood(
  socket: Socket,
  { next, most, hearing, becomes }: Abuse,
): Promise<"ended" | "kept"> {
  if (hearing === "reads") socket.resume();
  else socket.pause();
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    for (const event of ["end", "close"]) socket.once(event, resolve);
  }).then(() => {
    isOver = true;
  });
  let written = 0;
  for (let time = 0; written < most && !isOver; time++) {
    const bytes = next(time);
    if (bytes === undefined) break;
    written += bytes.length;
    if (socket.write(bytes)) continue;
    const stop = new AbortController();
    const waits = [once(socket, "drain", stop), delay(AFTERMATH_MS, undefined, stop)];
    await Promise.race([...waits.map((one) => one.catch(() => {})), ended]);
    stop.abort();
    if (socket.writableNeedDrain && becomes === "kept") break;
  }
  // Who reads nothing does not hear of the end, either.
  if (becomes === "ended") socket.resume();
  if (becomes === "ended")
    await Promise.race([ended, delay(GIVE_UP_MS, undefined, { ref: false })]);
  return isOver ? "ended" : "kept";
}
