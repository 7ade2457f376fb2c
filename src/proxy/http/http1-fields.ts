/** The fields of an HTTP/1 message as both ends of an exchange read them, and which of them go on. */
import { MAX_FIELDS } from "../../http/http1/field-section.ts";
import { markHopByHop } from "../../http/http1/hop-by-hop.ts";
import type { MessageHead } from "../../http/http1/message-head.ts";
import type { Trailers } from "../../http/http1/trailers.ts";
import type { ReceivedFields } from "./received-message.ts";

const NOTHING = Buffer.alloc(0);
const NO_RANGES = new Uint32Array(0);
const NO_IDS = new Uint8Array(0);

/**
 * One serves all connections: it shows the head or trailers that it was given last, for as long as they stay as they are.
 * `host` and `content-length` go on, too: who writes a head writes them once, from what is known of the message.
 */
export class Http1Fields implements ReceivedFields {
  bytes: Buffer = NOTHING;
  count = 0;
  ranges: Uint32Array = NO_RANGES;
  ids: Uint8Array = NO_IDS;
  readonly #leftOut: Uint8Array = new Uint8Array(MAX_FIELDS);
  #marked = 0;

  show(head: MessageHead): void {
    this.#point(head);
    this.#marked = markHopByHop(head, this.#leftOut);
  }

  /** All of them go on: what must not was refused when they were read. */
  showTrailers(trailers: Trailers): void {
    this.#point(trailers);
  }

  goesOn(index: number): boolean {
    return this.#marked === 0 || this.#leftOut[index] === 0;
  }

  #point({ bytes, count, ranges, ids }: MessageHead | Trailers): void {
    // A native `fill` costs more for the few that most messages have.
    if (this.#marked > 0) for (let index = 0; index < this.count; index++) this.#leftOut[index] = 0;
    this.#marked = 0;
    this.bytes = bytes;
    this.count = count;
    this.ranges = ranges;
    this.ids = ids;
  }
}
