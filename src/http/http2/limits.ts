/** What a stranger may ask of one connection. All constant; `Http2Connection.held` says what is in use. */
import { MAX_HEAD_FIELDS, MAX_HEAD_OCTETS } from "../head-limits.ts";

/** Of frames that we accept: the least that RFC 9113 allows (section 4.2). */
export const MAX_FRAME_SIZE = 16_384;
/** Of a head or trailers, without pseudo-fields. */
export const MAX_FIELDS: number = MAX_HEAD_FIELDS;
/** Of a head or trailers, counted as in RFC 9113 section 6.5.2: names, values and 32 octets a field. */
export const MAX_FIELD_LIST: number = MAX_HEAD_OCTETS + 32 * (MAX_FIELDS + 4);
/** Of a compressed head with its continuations, in octets: also of one that is written without any compression. */
export const MAX_BLOCK: number = MAX_FIELD_LIST;
/** Of one head: enough for the largest in frames of the common size, with some to spare. */
export const MAX_CONTINUATIONS = 16;
/** Heads of status 1xx before a response. */
export const MAX_INFORMATIONAL = 16;
/** Opened by the peer, at any time. */
export const MAX_STREAMS = 1_000;
/** What a peer may send on one stream before the owner has consumed any, and at once on all together; octets. */
export const STREAM_WINDOW = 262_144;
export const CONNECTION_WINDOW = 1_048_576;
/** What the owner of a server's connection may be given of all streams together, and not have consumed; octets. */
export const MAX_HELD = 16_777_216;
/**
 * Of all heads and trailers on open streams of a server together, counted as `MAX_FIELD_LIST`: each octet of a block can
 * stand for a whole entry of the dynamic table, so what comes over the wire says nothing of what is held. Enough for the
 * largest head on a hundred streams, or 8 KB on all of them.
 */
export const MAX_OPEN_HEADS = 8_388_608;
/** Of heads that are decoded before others have their turn; counted as `MAX_FIELD_LIST`. */
export const HEADS_AT_ONCE = 262_144;
/** Of the decoder's dynamic table: the size that RFC 9113 begins with. */
export const DYNAMIC_TABLE_SIZE = 4_096;
/** Parameters in one SETTINGS frame; six are defined. */
export const MAX_SETTINGS = 32;
/**
 * Octets of output that wait to be taken: then no more DATA is accepted from the owner. What comes in one turn of the event
 * loop for a hundred streams fits: what does not is copied, and held by each stream for itself.
 */
export const OUTPUT_HIGH_WATER = 1_048_576;
/** Octets of output that wait to be taken: then the peer reads too slowly for what it asks, and the connection ends. */
export const MAX_OUTPUT = 3_145_728;
/** The owner should give up a connection whose peer has not acknowledged our SETTINGS after so long. */
export const SETTINGS_TIMEOUT_MS = 10_000;

/**
 * Streams that end before their time (CVE-2023-44487, CVE-2025-8671): reset by the peer, or by us for its faults. Each
 * stream that ends in order earns one. All that may be open can be given up at once without fault: a peer carries the
 * requests of many, who lose patience with one slow callee together.
 */
export const RESET_BUDGET = { burst: 1_000, perSecond: 50 } as const;
/**
 * Frames that ask for work and carry nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, unknown ones. Frames
 * that carry something, either way, earn some.
 */
export const CONTROL_BUDGET = { burst: 1_000, perSecond: 200 } as const;
