import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { WatchedValue } from "../runtime/watched.ts";
import { streamStates } from "./stream-states.ts";

/** A client that takes what it is sent only when it is told to. */
class SlowClient {
  readonly sent: string[] = [];
  readonly #gone = new AbortController();
  #take: (() => void) | undefined;
  get signal(): AbortSignal {
    return this.#gone.signal;
  }
  send = (message: string): Promise<void> => {
    this.sent.push(message);
    return new Promise((resolve) => {
      this.#take = resolve;
    });
  };
  async take(): Promise<void> {
    this.#take?.();
    await turn();
  }
  leave(): void {
    this.#gone.abort();
    this.#take?.();
  }
}

test("a slow client gets the latest state, not those in between, and none twice", async () => {
  const client = new SlowClient();
  const value = new WatchedValue<string | undefined>(undefined);
  const stream = streamStates(() => value.current, { changes: [value], ...pick(client) });
  await turn();
  assert.deepEqual(client.sent, []);
  value.set("a");
  await turn();
  for (const next of ["b", "c", "d"]) value.set(next);
  await turn();
  assert.deepEqual(client.sent, ["a"]);
  await client.take();
  assert.deepEqual(client.sent, ["a", "d"]);
  value.set("d");
  await client.take();
  value.set("e");
  await turn();
  assert.deepEqual(client.sent, ["a", "d", "e"]);
  client.leave();
  await stream;
  value.set("f");
  await turn();
  assert.equal(client.sent.length, 3);
});

test("a client that has gone before is sent nothing", async () => {
  const client = new SlowClient();
  client.leave();
  const value = new WatchedValue("a");
  await streamStates(() => value.current, { changes: [value], ...pick(client) });
  assert.deepEqual(client.sent, []);
});

test("what cannot be made ends the stream with its error", async () => {
  const client = new SlowClient();
  const value = new WatchedValue("a");
  const broken = (): string => {
    throw new RangeError("broken");
  };
  await assert.rejects(streamStates(broken, { changes: [value], ...pick(client) }), RangeError);
});

function pick({ signal, send }: SlowClient): Pick<SlowClient, "signal" | "send"> {
  return { signal, send };
}
