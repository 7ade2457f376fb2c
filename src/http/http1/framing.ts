/** How the end of a body is found. */
export const FRAMING = {
  none: 0,
  length: 1,
  chunked: 2,
  /** Of responses only: the body ends with the connection. */
  untilClose: 3,
  /** What follows is no HTTP any more: after a 101, or a 2xx that answers a CONNECT. */
  switched: 4,
} as const;
