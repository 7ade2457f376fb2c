/** Unary gRPC calls over plaintext HTTP/2, so many at a time; each answer must be what was sent, and its status OK. */
import { connect } from "node:http2";
import type { LoadOrder, LoadWork } from "./load-messages.ts";
import { Tally } from "./tally.ts";

const PAYLOAD_BYTES = 200;
const PREFIX_BYTES = 5;
/** After a failure, so that a proxy that refuses does not keep this process spinning. */
const PAUSE_MS = 50;

export function callGrpc(order: LoadOrder & { readonly kind: "grpc" }): LoadWork {
  const { port, connections, calls } = order;
  const tally = new Tally();
  const message = framed(Buffer.alloc(PAYLOAD_BYTES, "gRPC payload "));
  let ended = false;

  const open = (): void => {
    const session = connect(`http://127.0.0.1:${port}`);
    const call = (): void => {
      if (ended || session.destroyed) return;
      const stream = session.request(HEADERS);
      const parts: Buffer[] = [];
      let status: unknown;
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("trailers", (trailers) => {
        status = trailers["grpc-status"];
      });
      stream.on("error", () => undefined); // `close` tells of it
      stream.on("close", () => {
        const isGood = status === "0" && Buffer.concat(parts).equals(message);
        if (isGood) tally.add(1);
        else if (!ended) tally.fail(`a call with status ${String(status)}`);
        if (isGood) call();
        else setTimeout(call, PAUSE_MS);
      });
      stream.end(message);
    };
    session.on("error", ({ message: problem }) => ended || tally.fail(problem));
    session.on("connect", () => {
      for (let index = 0; index < calls; index++) call();
    });
  };
  for (let index = 0; index < connections; index++) open();
  return {
    begin: () => tally.begin(),
    end: () => {
      ended = true;
      return tally.end();
    },
  };
}

const HEADERS = {
  ":method": "POST",
  ":path": "/bench.Echo/Unary",
  "content-type": "application/grpc",
  te: "trailers",
  "user-agent": "bench/1.0 (loopback)",
};

function framed(payload: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(payload.length, 1);
  return Buffer.concat([prefix, payload]);
}
