/** Commands over WebSockets, with a client that says what it likes: both versions of the protocol, and its limits. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { until } from "../../../test/kit/until.ts";
import type { ExecWish } from "./exec/exec-wish.ts";
import { runCommand } from "./exec/run-command.ts";
import { serveExec } from "./exec/serve-exec.ts";
import { openWebSocket, type UpgradedConnection } from "./web-socket.ts";

let server: Server;
let url: string;
let command: ExecWish["command"];
/** What became of the connection that was served last. */
let outcome: Promise<string>;

before(async () => {
  server = createServer().listen(0, "127.0.0.1");
  server.on("upgrade", (message, socket, head) => {
    const wish: ExecWish = { command, stdin: true, stdout: true, stderr: true, tty: false };
    const never = new AbortController().signal;
    const connection: UpgradedConnection = { message, socket, head };
    outcome = serveExec(
      {
        wish,
        run: (client) =>
          runCommand(
            (words) => ({
              command: words,
              environment: { PATH: process.env["PATH"] ?? "" },
              workingDirectory: "/",
            }),
            { client, wish, ended: never },
          ),
      },
      connection,
    ).then(
      () => "served",
      (error: unknown) => {
        socket.destroy();
        return String(error);
      },
    );
  });
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  url = `ws://127.0.0.1:${address.port}/`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

interface Heard {
  readonly socket: WebSocket;
  /** By channel. */
  readonly texts: Map<number, string>;
  readonly closed: Promise<unknown>;
}

async function open(protocols: readonly string[], words: ExecWish["command"]): Promise<Heard> {
  command = words;
  const socket = new WebSocket(url, [...protocols]);
  const texts = new Map<number, string>();
  socket.on("message", (message: Buffer) => {
    const channel = message[0] ?? -1;
    texts.set(channel, (texts.get(channel) ?? "") + message.subarray(1).toString());
  });
  const closed = once(socket, "close");
  await once(socket, "open");
  return { socket, texts, closed };
}

const say = ({ socket }: Heard, channel: number, text: string | Buffer): void =>
  socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));

test("version 5: the input may end, and the command's outcome comes last", async () => {
  const heard = await open(["v4.channel.k8s.io", "v5.channel.k8s.io"], ["sh", "-c", "cat; exit 7"]);
  assert.equal(heard.socket.protocol, "v5.channel.k8s.io");
  say(heard, 0, "hello");
  say(heard, 255, Buffer.from([0]));
  say(heard, 0, "after its end");
  await heard.closed;
  assert.equal(heard.texts.get(1), "hello");
  const status: unknown = JSON.parse(heard.texts.get(3) ?? "");
  assert.deepEqual(status, {
    metadata: {},
    status: "Failure",
    reason: "NonZeroExitCode",
    message: "command terminated with non-zero exit code: exit status 7",
    details: { causes: [{ reason: "ExitCode", message: "7" }] },
  });
  assert.equal(await outcome, "served");
});

test("version 4: what is said of other channels changes nothing", async () => {
  const heard = await open(["v4.channel.k8s.io"], ["sh", "-c", "read line; echo $line >&2"]);
  for (const channel of [1, 2, 3, 4, 9]) say(heard, channel, "nonsense");
  say(heard, 0, "hello\n");
  await heard.closed;
  assert.deepEqual([...heard.texts].sort(), [
    [1, ""],
    [2, "hello\n"],
    [3, '{"metadata":{},"status":"Success"}'],
  ]);
});

test("a program that is not there, and one that a signal ends, are told by their codes", async () => {
  const missing = await open(["v5.channel.k8s.io"], ["/no/such/program"]);
  await missing.closed;
  assert.match(missing.texts.get(2) ?? "", /no such file or directory/);
  assert.match(missing.texts.get(3) ?? "", /"message":"127"/);
  const ended = await open(["v5.channel.k8s.io"], ["sh", "-c", "kill -9 $$"]);
  await ended.closed;
  assert.match(ended.texts.get(3) ?? "", /"message":"137"/);
});

test("a client that does not read makes its command wait", async () => {
  const heard = await open(["v5.channel.k8s.io"], ["sh", "-c", "yes & echo $!; wait"]);
  const pid = await until("its number", async () => /^(\d+)\n/.exec(heard.texts.get(1) ?? "")?.[1]);
  heard.socket.pause();
  const written = async (): Promise<string | undefined> =>
    /^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, "utf8"))?.[1];
  let last: string | undefined;
  await until("it to wait", async () => {
    const now = await written();
    const isSame = now === last;
    last = now;
    return isSame;
  });
  heard.socket.terminate();
  await until("its end", () =>
    readFile(`/proc/${pid}/io`).then(
      () => false,
      () => true,
    ),
  );
});

test("a message beyond the most ends the connection, and the command with it", async () => {
  const heard = await open(["v5.channel.k8s.io"], ["cat"]);
  say(heard, 0, Buffer.alloc(2 * 1024 * 1024));
  const [code] = (await heard.closed) as [number];
  assert.equal(code, 1009);
  assert.equal(await outcome, "served");
});

test("a client that speaks nothing we do is refused", async () => {
  const socket = new WebSocket(url, ["base64.channel.k8s.io"]);
  await assert.rejects(once(socket, "open"));
  assert.match(await outcome, /unable to upgrade/);
});

test("a client that goes while nobody reads it is heard to go", async (context) => {
  const listening = createServer().listen(0, "127.0.0.1");
  context.after(() => listening.close());
  await once(listening, "listening");
  const address = listening.address();
  assert.ok(typeof address === "object" && address !== null);
  const upgraded = once(listening, "upgrade");
  const client = new WebSocket(`ws://127.0.0.1:${address.port}/`, "any");
  client.on("error", () => {});
  const [message, socket, head] = await upgraded;
  const opened = await openWebSocket({ message, socket, head }, "any", 20);
  assert.ok(opened !== undefined);
  await once(client, "open");
  opened.pause();
  client.send(Buffer.alloc(500_000));
  const gone = once(opened, "close");
  client.terminate();
  await gone;
});

test("pings are answered, but are not piled up for a client that takes no answers", async (context) => {
  const listening = createServer().listen(0, "127.0.0.1");
  context.after(() => listening.close());
  await once(listening, "listening");
  const address = listening.address();
  assert.ok(typeof address === "object" && address !== null);
  const upgraded = once(listening, "upgrade");
  const client = new WebSocket(`ws://127.0.0.1:${address.port}/`, "any");
  const [message, socket, head] = await upgraded;
  const opened = await openWebSocket({ message, socket, head }, "any");
  assert.ok(opened !== undefined);
  context.after(() => client.terminate());
  await once(client, "open");
  client.ping("here?");
  const [answer] = await once(client, "pong");
  assert.equal(String(answer), "here?");
  socket.cork(); // as if nothing left
  for (let count = 0; count < 5_000; count++) client.ping(Buffer.alloc(125));
  client.send("last");
  await once(opened, "message");
  assert.ok(opened.bufferedAmount < 100_000, `${opened.bufferedAmount} bytes`);
});
