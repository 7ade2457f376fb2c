import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { readRequests } from "../../../test/kit/read-http1.ts";
import { ask, type RecordedAnswer } from "../../../test/kit/recorded-answer.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { dialPlaintext } from "../upstream-dialer.ts";
import type { EndpointConnections } from "./upstream-connections.ts";
import { ConnectionPools } from "./upstream-connections-pools.ts";

const REQUESTS = 1_000;
const AT_A_TIME = 24;

const sockets = new Set<Socket>();
const servers: Server[] = [];
const pools = new ConnectionPools({ idleMs: 400 });
after(() => {
  pools.close();
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

/** Numbers that look as if by chance, and are the same each time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function listen(server: Server): Promise<EndpointConnections> {
  servers.push(server);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => socket.destroy()));
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const address = { address: LOOPBACK, port: portOf(server) };
  return pools.connections(String(address.port), {
    unnegotiated: server instanceof Object && "setTimeout" in server ? "HTTP/2" : "HTTP/1",
    dial: () => dialPlaintext(address),
  });
}

/** Sends requests of all kinds, some of which are given up; each names itself, and its answer must name it, too. */
async function trouble(connections: EndpointConnections, random: () => number): Promise<string[]> {
  const ends: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < REQUESTS) {
      const path = `/${next++}`;
      const body = Array.from({ length: Math.floor(random() * 4) }, () => Buffer.from(path));
      const method = body.length > 0 ? "POST" : "GET";
      const contentLength = random() < 0.5 ? body.length * path.length : -1;
      const answer = ask(
        connections,
        { method, path, contentLength },
        body.length > 0 ? { body } : {},
      );
      ends.push(await endOf(answer, { path, isGivenUp: random() < 0.1 }));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return ends;
}

async function endOf(
  answer: RecordedAnswer,
  { path, isGivenUp }: { readonly path: string; readonly isGivenUp: boolean },
): Promise<string> {
  if (isGivenUp) {
    await delay(1);
    answer.stream?.reset();
    if (answer.calls.at(-1)?.match(/^(last|aborted|failed)/) === null) return "given up";
    if (answer.calls.length === 0) return "given up";
  }
  const told = await Promise.race([answer.done, delay(20_000, undefined, { ref: false })]);
  assert.ok(told !== undefined, `no end of ${path}: ${answer.calls}`);
  assert.ok(!answer.calls.some((call) => call.startsWith("late")), answer.calls.join("; "));
  const done = answer.why?.cause === "reset" ? ` ${answer.why.done}` : "";
  const end = `${answer.calls.at(-1)}${done}`;
  if (end === "last" && answer.status === 200) assert.equal(answer.body, path.repeat(3));
  return end;
}

function tally(ends: readonly string[]): string {
  const counts: Record<string, number> = {};
  for (const end of ends) counts[end] = (counts[end] ?? 0) + 1;
  return JSON.stringify(counts);
}

/** What a callee does with a request. */
type Deed = (socket: Socket, path: string) => void;

const whole = (path: string): string => {
  const body = path.repeat(3);
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};
const chunked = (path: string): string => {
  const chunk = `${path.length.toString(16)};x=y\r\n${path}\r\n`;
  return `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`;
};
const DEEDS: readonly Deed[] = [
  ...new Array<Deed>(6).fill((socket, path) => socket.write(whole(path))),
  ...new Array<Deed>(4).fill((socket, path) => socket.write(chunked(path))),
  (socket, path) => {
    const text = chunked(path);
    socket.write(text.slice(0, 40));
    setTimeout(() => socket.write(text.slice(40)), 2);
  },
  (socket, path) => socket.end(whole(path)),
  (socket, path) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${path.repeat(3)}`),
  (socket, path) =>
    socket.write(`${whole(path)}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen`),
  (socket, path) => socket.end(whole(path).slice(0, -1)),
  (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx"),
  (socket) => socket.end(),
  (socket) => socket.resetAndDestroy(),
];

test("HTTP/1: each answer is its request's own, and each request ends once, whatever callees do", async () => {
  const random = chance(7);
  const server = createServer({ noDelay: true }, (socket) => {
    let kept = Buffer.alloc(0);
    socket.on("data", (bytes) => {
      kept = Buffer.concat([kept, bytes]);
      const { messages } = readRequests(kept);
      for (const { line } of messages) {
        const deed = DEEDS[Math.floor(random() * DEEDS.length)];
        if (socket.writable) deed?.(socket, line.split(" ")[1] ?? "");
      }
      kept = kept.subarray(messages.at(-1)?.end ?? 0);
    });
  });
  const connections = await listen(server);
  const ends = await trouble(connections, chance(8));
  assert.ok(ends.filter((end) => end === "last").length > REQUESTS / 2, tally(ends));
  for (const end of ["aborted closed", "aborted http1.invalid_content_length", "given up"]) {
    assert.ok(ends.includes(end), end);
  }
  for (const end of new Set(ends)) {
    assert.match(
      end,
      /^(last|given up|failed|aborted (closed|http1\.invalid_content_length|http1.invalid_status_line))$/,
    );
  }
});

test("HTTP/2: each answer is its request's own, and each request ends once, whatever callees do", async () => {
  const random = chance(9);
  const server = createHttp2Server({ settings: { maxConcurrentStreams: 7 } });
  server.on("sessionError", () => {});
  let newest: Socket | undefined;
  server.on("connection", (socket: Socket) => {
    newest = socket;
  });
  server.on("session", (session) => {
    const socket = newest;
    session.on("error", () => {});
    let left = 20 + Math.floor(60 * random());
    session.on("stream", () => {
      left--;
      if (left === 0 && random() < 0.5) session.close();
      // Node 20 corrupts its memory when a session of its own is destroyed under load.
      else if (left === 0) setImmediate(() => socket?.destroy());
    });
  });
  server.on("stream", (stream, head) => {
    stream.on("error", () => {});
    const path = String(head[":path"]);
    const kind = random();
    stream.resume();
    const answer = (): void => {
      if (stream.destroyed) return;
      stream.respond({ ":status": 200 });
      stream.write(path);
      stream.end(path.repeat(2));
    };
    if (kind < 0.1) stream.close(8);
    else if (kind < 0.2) stream.close(7);
    else if (kind < 0.4) setTimeout(answer, 5);
    else if (kind < 0.6) answer();
    else stream.on("end", answer);
  });
  const connections = await listen(server as Server);
  const ends = await trouble(connections, chance(10));
  assert.ok(ends.filter((end) => end === "last").length > REQUESTS / 2, tally(ends));
  for (const end of ["aborted reset nothing", "aborted reset unknown", "given up"])
    assert.ok(ends.includes(end), end);
  for (const end of new Set(ends)) {
    assert.match(end, /^(last|given up|failed|aborted (closed|reset (nothing|unknown)))$/);
  }
});
