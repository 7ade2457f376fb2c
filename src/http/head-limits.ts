/**
 * How large a head may be, in either version: one rule, so that what one hop has taken the next one takes, too, after
 * the first has added to it.
 */

/** Of who is no sidecar of the mesh; as Envoy's default. */
export const STRANGER_HEAD: HeadSize = { fields: 100, octets: 61_440 };
/** What a sidecar may add: who called, a trace, an id, the length of the body. */
const ADDED: HeadSize = { fields: 28, octets: 4_096 };

export interface HeadSize {
  /** Without pseudo-fields. */
  readonly fields: number;
  /** As HTTP/1 writes it, with its blank line. */
  readonly octets: number;
}

/** What is read at all. */
export const MAX_HEAD_FIELDS: number = STRANGER_HEAD.fields + ADDED.fields;
export const MAX_HEAD_OCTETS: number = STRANGER_HEAD.octets + ADDED.octets;
