/**
 * HTTP/1.1 on sockets of its own, one request at a time on each: little code, so that what is measured is the mesh. Knows
 * bodies by their length only.
 */
import { connect } from "node:net";

const END_OF_HEAD = "\r\n\r\n";
/** Shorter than any sidecar keeps an idle connection. */
const IDLE_MS = 5_000;

export class RawClient {
  #place;
  #idle = [];

  constructor(place) {
    this.#place = place;
  }

  /**
   * @param request `head` and `body`; `fresh`: on a connection of its own; `pace`: octets a second that are read
   * @param done hears once: `{ status, head, body }` or `{ error }`
   */
  send(request, done) {
    const connection =
      (request.fresh ? undefined : this.#takeIdle()) ?? new Connection(this.#place);
    connection.send(request, (outcome) => {
      if (connection.isUsable && !request.fresh) this.#idle.push(connection);
      else connection.close();
      done(outcome);
    });
  }

  #takeIdle() {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return undefined;
      if (connection.isUsable && Date.now() - connection.idleSince < IDLE_MS) return connection;
      connection.close();
    }
  }
}

class Connection {
  idleSince = 0;
  #socket;
  #done;
  #head;
  #parts = [];
  #size = 0;
  #length = 0;
  #pace;
  #isOver = false;
  /** Whoever answers before all was said gets no further request on this connection. */
  #isSending = false;
  /** How many requests before this one it served. */
  #served = -1;

  constructor({ host, port }) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.on("data", (bytes) => this.#data(bytes));
    this.#socket.on("error", (error) => this.#end({ error: error.code ?? error.message }));
    this.#socket.on("timeout", () => this.#end({ error: "no answer" }));
    this.#socket.on("close", () => this.#end({ error: "closed" }));
  }

  get isUsable() {
    return !this.#isOver;
  }

  send({ head, body, pace, patienceMs }, done) {
    this.#done = done;
    this.#served++;
    this.#pace = pace;
    this.#head = undefined;
    this.#parts = [];
    this.#size = 0;
    this.#socket.setTimeout(patienceMs);
    this.#socket.write(head);
    if (Array.isArray(body)) this.#sendParts(body);
    else if (body !== undefined) this.#socket.write(body);
  }

  close() {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #sendParts([part, ...others]) {
    this.#isSending = part !== undefined;
    if (part === undefined || this.#isOver) return;
    this.#socket.write(part);
    setTimeout(() => this.#sendParts(others), 20);
  }

  #data(bytes) {
    if (this.#done === undefined) {
      this.#isOver = true; // nobody asked
      process.stdout.write(
        `${JSON.stringify({ fault: "unasked", bytes: bytes.toString("latin1") })}\n`,
      );
      return;
    }
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (this.#pace !== undefined) this.#wait(bytes.length);
    if (this.#head === undefined) this.#readHead();
    if (this.#head !== undefined && this.#size >= this.#length) this.#finish();
  }

  #readHead() {
    const all = Buffer.concat(this.#parts);
    const end = all.indexOf(END_OF_HEAD);
    if (end < 0) return;
    this.#head = all.toString("latin1", 0, end);
    const [, length] = /^content-length: *(\d+)/im.exec(this.#head) ?? [];
    this.#parts = [all.subarray(end + END_OF_HEAD.length)];
    this.#size = this.#parts[0].length;
    this.#length = Number(length ?? Number.NaN);
    if (length === undefined) this.#end({ error: "an answer without a length", head: this.#head });
  }

  #finish() {
    const body = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    const head = this.#head;
    const [, status] = /^HTTP\/1\.1 (\d\d\d)/.exec(head) ?? [];
    if (this.#isSending || /^connection: *close/im.test(head)) this.#isOver = true;
    this.#tell({ status: Number(status), head, body });
  }

  /** Reads no faster than the pace allows. */
  #wait(octets) {
    this.#socket.pause();
    setTimeout(() => this.#socket.resume(), (octets / this.#pace) * 1_000);
  }

  #end(outcome) {
    this.#isOver = true;
    const { localPort } = this.#socket;
    this.#socket.destroy();
    this.#tell({
      ...outcome,
      localPort,
      served: this.#served,
      read: this.#size,
      ...(this.#head && { head: this.#head }),
    });
  }

  #tell(outcome) {
    const done = this.#done;
    this.#done = undefined;
    this.#socket.setTimeout(0);
    this.idleSince = Date.now();
    done?.(outcome);
  }
}
