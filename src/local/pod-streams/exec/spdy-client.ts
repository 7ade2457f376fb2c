/**
 * A client that speaks SPDY: it opens a stream for each of the command's. Older ones than kubectl 1.31 do.
 * Source: Kubernetes `cri/streaming/remotecommand/httpstream.go`
 */
import type { Duplex } from "node:stream";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { SpdyConnection, type SpdyStream } from "../spdy/spdy-connection.ts";
import { SpdyError } from "../spdy/spdy-error.ts";
import { type ExecClient, parseTerminalSize, TerminalSizes } from "./exec-client.ts";
import type { ExecWish } from "./exec-wish.ts";

export const EXEC_SPDY_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;

const STREAMS_MS = 10_000;
const MAX_SIZE_CHARACTERS = 256;

/** @throws SpdyError when the streams do not come */
export async function spdyClient(transport: Duplex, wish: ExecWish): Promise<ExecClient> {
  const gone = new AbortController();
  const streams = new Map<string, SpdyStream>();
  const wanted = wantedStreams(wish);
  let complete = (): void => {};
  const all = new Promise<"all">((resolve) => {
    complete = () => resolve("all");
  });
  const spdy = new SpdyConnection({
    transport,
    onStream: (stream) => {
      const type = stream.headers.get("streamtype") ?? "";
      if (!wanted.includes(type) || streams.has(type)) {
        stream.destroy();
        return;
      }
      streams.set(type, stream);
      if (wanted.every((one) => streams.has(one))) complete();
    },
  });
  const served = spdy.serve().catch(() => {}); // the client is gone, or as good as
  void served.then(() => gone.abort());
  const came = await Promise.race([all, served, delay(STREAMS_MS, undefined, { ref: false })]);
  if (came !== "all") {
    transport.destroy();
    throw new SpdyError(`streams that were asked for did not come: ${wanted.join(", ")}`);
  }
  const sizes = new TerminalSizes();
  listenForSizes(streams.get("resize"), sizes);
  for (const type of ["stdout", "stderr", "error"]) streams.get(type)?.resume();
  return {
    input: streams.get("stdin") ?? new PassThrough(),
    output: streams.get("stdout") ?? new PassThrough().resume(),
    errors: streams.get("stderr") ?? new PassThrough().resume(),
    onResize: (listener) => sizes.listen(listener),
    gone: gone.signal,
    async finish(status) {
      await new Promise<void>((resolve) => {
        const error = streams.get("error");
        error?.once("close", resolve);
        error?.end(JSON.stringify(status), resolve);
      });
      await spdy.end();
    },
  };
}

function wantedStreams({ stdin, stdout, stderr, tty }: ExecWish): readonly string[] {
  const wanted = { stdin, stdout, stderr, resize: tty };
  return ["error", ...Object.entries(wanted).flatMap(([name, is]) => (is ? name : []))];
}

/** One JSON text after the other, without anything between them. */
function listenForSizes(stream: SpdyStream | undefined, sizes: TerminalSizes): void {
  let held = "";
  stream?.on("data", (chunk: Buffer) => {
    held = (held + chunk.toString("latin1")).slice(-MAX_SIZE_CHARACTERS);
    const end = held.lastIndexOf("}");
    const begin = held.lastIndexOf("{", end);
    if (end < 0 || begin < 0) return;
    sizes.tell(parseTerminalSize(held.slice(begin, end + 1)));
    held = held.slice(end + 1);
  });
}
