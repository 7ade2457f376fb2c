/** The control plane's door on this machine: a Unix socket, closed to other users, for `hauberk ca` and `hauberk status`. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { type ConnectionPlace, ConnectionRoom } from "../runtime/connection-room.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";
import type { Log } from "../runtime/log.ts";
import { listenOwnerOnly } from "../runtime/owner-only-socket.ts";
import {
  type ControlReply,
  type ControlRequest,
  HELLO,
  type Hello,
  isHello,
  MAX_CONTROL_REQUEST_CHARACTERS,
  parseControlRequest,
} from "./control-socket-messages.ts";

/** Beyond it whoever has been silent longest gives way. */
const MAX_CONNECTIONS = 16;
/** Requests sent ahead of their replies. */
const MAX_WAITING = 4;
/** Commands ask at once, and take their replies as they come. */
const SILENCE_MS = 10_000;

export interface ControlSocketOptions {
  readonly path: string;
  readonly answer: (request: ControlRequest) => Promise<ControlReply>;
  /** How long one may say and take nothing; constant but for tests. */
  readonly silenceMs?: number;
  readonly log: Log;
}

export interface ControlSocket {
  close(): Promise<void>;
}

/**
 * Replaces a socket file that an earlier run left.
 *
 * @throws ListenError
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<ControlSocket> {
  const sockets = new Set<Socket>();
  const room = new ConnectionRoom({ size: MAX_CONNECTIONS });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // whoever asked is gone
    const place = room.enter(socket);
    if (place !== undefined) converse(socket, { ...options, place });
  });
  await listenOwnerOnly(server, options.path);
  server.on("error", (error) =>
    options.log.error("the control plane's socket failed", { problem: describeError(error) }),
  );
  return { close: () => close(server, sockets) };
}

/** One reply for each request, in order; the next is made when the last has been taken. */
function converse(
  socket: Socket,
  { place, ...options }: ControlSocketOptions & { readonly place: ConnectionPlace },
): void {
  let waiting = 0;
  let isWorking = false;
  let turn: Promise<void> = Promise.resolve();
  socket.setTimeout(options.silenceMs ?? SILENCE_MS, () => {
    if (!isWorking) socket.destroy();
  });
  const reply = async (value: unknown): Promise<void> => {
    if (socket.destroyed) return;
    isWorking = true;
    place.busy();
    const made = await replyTo(value, options);
    place.idle();
    place.renew();
    isWorking = false;
    await send(socket, made);
    waiting--;
  };
  readJsonLines(
    socket,
    (value) => {
      if (++waiting > MAX_WAITING) socket.destroy();
      else turn = turn.then(() => reply(value));
    },
    { maxLineCharacters: MAX_CONTROL_REQUEST_CHARACTERS },
  );
}

/** Returns when it has been taken, or nobody is there any more to take it. */
async function send(socket: Socket, reply: ControlReply | Hello): Promise<void> {
  writeJsonLine(socket, reply);
  if (!socket.writableNeedDrain || socket.destroyed) return;
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  socket.once("close", leave);
  await once(socket, "drain", { signal: gone.signal }).catch(() => undefined);
  socket.removeListener("close", leave);
}

async function replyTo(
  value: unknown,
  { answer, log }: Pick<ControlSocketOptions, "answer" | "log">,
): Promise<ControlReply | Hello> {
  if (isHello(value)) return HELLO;
  const request = parseControlRequest(value);
  if ("wrong" in request) return { type: "refused", problem: request.wrong };
  try {
    return await answer(request);
  } catch (error) {
    const problem = describeError(error);
    log.error("a request failed", { request: request.type, problem });
    return { type: "refused", problem };
  }
}

function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  return closed;
}
