/** The control plane's door on this machine: a Unix socket, closed to other users, for `hauberk ca` and `hauberk status`. */
import { createServer, type Server, type Socket } from "node:net";
import { describeError } from "../runtime/hauberk-error.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";
import type { Log } from "../runtime/log.ts";
import { listenOwnerOnly } from "../runtime/owner-only-socket.ts";
import {
  type ControlReply,
  type ControlRequest,
  MAX_CONTROL_REQUEST_CHARACTERS,
  parseControlRequest,
} from "./control-socket-messages.ts";

const MAX_CONNECTIONS = 16;
/** Requests sent ahead of their replies. */
const MAX_WAITING = 4;
const SILENCE_MS = 30_000;

export interface ControlSocketOptions {
  readonly path: string;
  readonly answer: (request: ControlRequest) => Promise<ControlReply>;
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
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    converse(socket, options);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listenOwnerOnly(server, options.path);
  server.on("error", (error) =>
    options.log.error("the control plane's socket failed", { problem: describeError(error) }),
  );
  return { close: () => close(server, sockets) };
}

/** One reply for each request, in order. */
function converse(socket: Socket, { answer, log }: ControlSocketOptions): void {
  let waiting = 0;
  let turn: Promise<void> = Promise.resolve();
  socket.setTimeout(SILENCE_MS, () => {
    if (waiting === 0) socket.destroy();
  });
  socket.on("error", () => socket.destroy()); // whoever asked is gone
  const reply = async (value: unknown): Promise<void> => {
    writeJsonLine(socket, await replyTo(value, { answer, log }));
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

async function replyTo(
  value: unknown,
  { answer, log }: Pick<ControlSocketOptions, "answer" | "log">,
): Promise<ControlReply> {
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
