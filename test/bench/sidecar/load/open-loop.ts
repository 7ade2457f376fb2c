/**
 * Requests at a rate, whatever the answers do. The time of each counts from when it was written; if it had to wait for a
 * free connection, from when it was due. That this process's own timer comes late is not charged to a proxy.
 */
import { connect, type Socket } from "node:net";
import { AnswerReader, requestBytes } from "./answer-reader.ts";
import type { LoadOrder, LoadWork } from "./load-messages.ts";
import { Tally } from "./tally.ts";

const TICK_MS = 1;
/** Where more is missing, latencies are of a queue, and no figure. */
const MOST_MISSING = 0.05;
/** More that wait are an error, and no memory. */
const MAX_WAITING = 10_000;

interface Connection {
  readonly socket: Socket;
  since: number;
}

export function sendWhenDue(order: LoadOrder & { readonly kind: "open loop" }): LoadWork {
  const { port, path, connections, ratePerSecond } = order;
  const tally = new Tally();
  const bytes = requestBytes(path);
  const idle: Connection[] = [];
  const waiting: number[] = [];
  let ended = false;
  let begun = 0;

  const send = (connection: Connection, since: number): void => {
    connection.since = since;
    connection.socket.write(bytes);
  };
  const open = (): void => {
    const connection: Connection = { socket: connect({ port, noDelay: true }), since: 0 };
    const reader = new AnswerReader(path, (problem) => {
      if (problem !== undefined) tally.fail(problem);
      else tally.add(1, performance.now() - connection.since);
      const next = waiting.shift();
      if (next === undefined) idle.push(connection);
      else send(connection, next);
    });
    connection.socket.on("connect", () => idle.push(connection));
    connection.socket.on("data", (chunk) => reader.read(chunk));
    connection.socket.on("error", ({ message }) => ended || tally.fail(message));
    connection.socket.on("end", () => ended || tally.fail("a connection was closed"));
  };
  for (let index = 0; index < connections; index++) open();

  const started = performance.now();
  let due = 0;
  const tick = (): void => {
    const now = performance.now();
    const until = Math.floor(((now - started) * ratePerSecond) / 1000);
    for (; due < until; due++) {
      const connection = idle.shift();
      if (connection !== undefined) send(connection, performance.now());
      else if (waiting.length < MAX_WAITING) waiting.push(now);
      else tally.fail("the proxy is slower than the rate");
    }
  };
  const timer = setInterval(tick, TICK_MS);
  return {
    begin: () => {
      begun = performance.now();
      tally.begin();
    },
    end: () => {
      ended = true;
      clearInterval(timer);
      const result = tally.end();
      const problem = rateProblem(result.done, {
        ratePerSecond,
        seconds: (performance.now() - begun) / 1000,
      });
      return problem === undefined ? result : { ...result, errors: [...result.errors, problem] };
    },
  };
}

/** @returns what is wrong where fewer were answered than were due: the proxy, the load or the machine was too slow */
export function rateProblem(
  done: number,
  { ratePerSecond, seconds }: { readonly ratePerSecond: number; readonly seconds: number },
): string | undefined {
  const isKept = done >= (1 - MOST_MISSING) * ratePerSecond * seconds;
  return isKept ? undefined : `the rate was not kept: ${(done / seconds).toFixed(0)}/s`;
}
