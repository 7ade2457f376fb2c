/** The fields of an HTTP/2 message as both ends of an exchange read them, and which of them go on. */
import { FIELD } from "../../http/field-names.ts";
import type { ReceivedHead } from "../../http/http2/received-head.ts";
import type { ReceivedFields } from "./received-message.ts";

const NOTHING = Buffer.alloc(0);
const NO_RANGES = new Uint32Array(0);
const NO_IDS = new Uint8Array(0);
/** By id: what is for this hop only, and HTTP/2 has not refused (RFC 9110 section 7.6.1). `te: trailers` may go on. */
const IS_FOR_THIS_HOP = new Uint8Array(256);
for (const name of [
  "expect",
  "proxy-authorization",
  "proxy-authenticate",
  "http2-settings",
] as const) {
  IS_FOR_THIS_HOP[FIELD[name]] = 1;
}

/** One serves all connections: it shows the head or trailers that it was given last, for as long as they stay as they are. */
export class Http2Fields implements ReceivedFields {
  bytes: Buffer = NOTHING;
  count = 0;
  ranges: Uint32Array = NO_RANGES;
  ids: Uint8Array = NO_IDS;
  /** One a field: 1 when it must go on as never indexed. */
  sensitive: Uint8Array = NO_IDS;
  readonly cookies = "cut";

  show({ bytes, count, ranges, ids, sensitive }: ReceivedHead): void {
    this.bytes = bytes;
    this.count = count;
    this.ranges = ranges;
    this.ids = ids;
    this.sensitive = sensitive;
  }

  goesOn(index: number): boolean {
    return IS_FOR_THIS_HOP[this.ids[index] ?? 0] === 0;
  }
}
