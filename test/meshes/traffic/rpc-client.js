/** gRPC's form of calls on one HTTP/2 connection with prior knowledge: messages out, the same messages back, then a status. */
import { connect } from "node:http2";

export class RpcClient {
  #place;
  #authority;
  #session;

  constructor(place, authority) {
    this.#place = place;
    this.#authority = authority;
  }

  /**
   * @param messages sent `everyMs` apart
   * @param done hears once: `{ status, answers, grpcStatus, body }` or `{ error }`
   */
  call({ id, path, messages, everyMs, patienceMs }, done) {
    const stream = this.#open().request({
      ":method": "POST",
      ":path": path,
      ":authority": this.#authority,
      "content-type": "application/grpc",
      te: "trailers",
      "x-request-id": id,
    });
    const outcome = { read: 0 };
    const parts = [];
    const tell = (last) => {
      clearTimeout(timer);
      done?.({ ...outcome, ...last });
      done = undefined;
    };
    const timer = setTimeout(() => {
      tell({ error: "no answer" });
      stream.destroy();
    }, patienceMs);
    stream.on("response", (headers) => {
      outcome.status = headers[":status"];
      outcome.answers = headers["x-answers"];
      outcome.grpcStatus = headers["grpc-status"];
    });
    stream.on("trailers", (trailers) => {
      outcome.grpcStatus = trailers["grpc-status"];
    });
    stream.on("data", (part) => {
      parts.push(part);
      outcome.read += part.length;
    });
    stream.on("error", (error) =>
      tell({ error: error.code ?? error.message, what: error.message }),
    );
    stream.on("close", () => {
      if (stream.rstCode) tell({ error: `reset ${stream.rstCode}` });
      else tell({ body: Buffer.concat(parts) });
    });
    sendEach(stream, messages, everyMs);
  }

  #open() {
    const { host, port } = this.#place;
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      const session = connect(`http://${host}:${port}`);
      this.#session = session;
      const leave = () => {
        if (this.#session === session) this.#session = undefined;
      };
      session.on("goaway", leave);
      session.on("close", leave);
      session.on("error", leave);
      session.setMaxListeners(0);
    }
    return this.#session;
  }
}

function sendEach(stream, [message, ...others], everyMs) {
  if (stream.destroyed) return;
  if (others.length === 0) {
    stream.end(message);
    return;
  }
  stream.write(message);
  setTimeout(() => sendEach(stream, others, everyMs), everyMs);
}
