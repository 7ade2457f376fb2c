/**
 * A client that speaks WebSocket: each message begins with the number of its channel. Version 5 can end the input,
 * version 4 cannot. Source: Kubernetes `remotecommand`, KEP 4006
 */
import { Readable, Writable } from "node:stream";
import { bytesOfMessage, type WebSocket } from "../web-socket.ts";
import { type ExecClient, parseTerminalSize, TerminalSizes } from "./exec-client.ts";

/** Best first. */
export const EXEC_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

const CHANNELS = { input: 0, output: 1, errors: 2, status: 3, resize: 4, close: 255 } as const;
const NORMAL_CLOSURE = 1_000;

export function webSocketClient(webSocket: WebSocket): ExecClient {
  const gone = new AbortController();
  const sizes = new TerminalSizes();
  const input = new Readable({ read: () => webSocket.resume() });
  webSocket.once("close", () => {
    gone.abort();
    if (!input.readableEnded && !input.destroyed) input.push(null);
  });
  let isEnded = false;
  webSocket.on("message", (data) => {
    const bytes = bytesOfMessage(data);
    const rest = bytes.subarray(1);
    switch (bytes[0]) {
      case CHANNELS.input:
        if (!isEnded && rest.length > 0 && !input.push(rest)) webSocket.pause();
        return;
      case CHANNELS.resize:
        return sizes.tell(parseTerminalSize(rest.toString("utf8")));
      case CHANNELS.close:
        if (rest[0] === CHANNELS.input && !isEnded) {
          isEnded = true;
          input.push(null);
        }
        return;
      default:
        return; // nothing else is the client's to say
    }
  });
  const channel = (number: number): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => send(webSocket, { number, chunk }, done),
    });
  return {
    input,
    output: channel(CHANNELS.output),
    errors: channel(CHANNELS.errors),
    onResize: (listener) => sizes.listen(listener),
    gone: gone.signal,
    async finish(status) {
      const chunk = Buffer.from(JSON.stringify(status));
      await new Promise<void>((resolve) => {
        send(webSocket, { number: CHANNELS.status, chunk }, () => resolve());
      });
      webSocket.resume(); // whatever is left has to be read before the end is
      webSocket.close(NORMAL_CLOSURE);
    },
  };
}

/** Says on the first channel that the command may be spoken to, as servers of Kubernetes do. */
export function greet(webSocket: WebSocket): void {
  send(webSocket, { number: CHANNELS.output, chunk: Buffer.alloc(0) }, () => {});
}

function send(
  webSocket: WebSocket,
  { number, chunk }: { readonly number: number; readonly chunk: Buffer },
  done: (error?: Error | null) => void,
): void {
  webSocket.send(Buffer.concat([Buffer.from([number]), chunk]), (error) => done(error));
}
