/**
 * `kubectl port-forward`: for each connection the client opens a stream for errors and one for data, of one requestID.
 * Source: Kubernetes `cri/streaming/portforward/httpstream.go`
 */
import { once } from "node:events";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { describeError } from "../../../runtime/hauberk-error.ts";
import type { Log } from "../../../runtime/log.ts";
import { SpdyConnection, type SpdyStream } from "../spdy/spdy-connection.ts";
import { SpdyError } from "../spdy/spdy-error.ts";
import { upgradeToSpdy } from "../spdy/upgrade-to-spdy.ts";
import type { UpgradedConnection } from "../web-socket.ts";

export const PORT_FORWARD_PROTOCOLS = ["portforward.k8s.io"] as const;

const CONNECT_MS = 10_000;

export interface PortForward {
  /** For people: `api-0`. */
  readonly pod: string;
  /** @throws Error */
  readonly connect: (port: number) => Duplex;
  readonly log: Log;
}

/** Resolves when the client is gone. @throws StatusError before it has written anything */
export async function servePortForward(
  forward: PortForward,
  connection: UpgradedConnection,
): Promise<void> {
  const upgraded = await upgradeToSpdy(connection, PORT_FORWARD_PROTOCOLS);
  if (upgraded === undefined) return;
  const errors = new Map<string, SpdyStream>();
  const spdy = new SpdyConnection({
    transport: upgraded.transport,
    onStream: (stream) => {
      const id = stream.headers.get("requestid") ?? "";
      if (stream.headers.get("streamtype") === "error") {
        errors.set(id, stream);
        stream.once("close", () => errors.delete(id));
        stream.resume(); // nothing comes; its end is heard of
        return;
      }
      const error = errors.get(id);
      errors.delete(id);
      if (stream.headers.get("streamtype") !== "data" || error === undefined) stream.destroy();
      else void forwardOne(forward, { stream, error });
    },
  });
  try {
    await spdy.serve();
  } catch (problem) {
    if (problem instanceof SpdyError)
      forward.log.warn("a port-forward ended", { problem: problem.message });
  }
}

async function forwardOne(
  { connect, pod }: PortForward,
  { stream, error }: { readonly stream: SpdyStream; readonly error: SpdyStream },
): Promise<void> {
  const port = Number(stream.headers.get("port"));
  let socket: Duplex | undefined;
  try {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error("no such port");
    socket = connect(port);
    socket.on("error", () => {}); // `finished` tells
    if (socket instanceof Socket) {
      await once(socket, "connect", { signal: AbortSignal.timeout(CONNECT_MS) });
      socket.setNoDelay(true);
    }
    stream.pipe(socket);
    socket.pipe(stream);
    stream.once("close", () => socket?.destroy());
    await finished(socket);
  } catch (problem) {
    error.write(`error forwarding port ${port} to pod ${pod}: ${describeError(problem)}`);
  } finally {
    socket?.destroy();
    error.end();
    stream.end();
  }
}
