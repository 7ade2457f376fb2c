/** One exchange on a connection (RFC 9113 section 5.1). */

/** What comes next in one direction. */
export type Phase = "head" | "body" | "over";
/** Whether anything follows in the same direction. */
export type Following = "more" | "last";

export class Http2Stream<Context> {
  readonly id: number;
  /** The owner's own; all else is the connection's, and only to be read. */
  context: Context | undefined = undefined;
  receiving: Phase;
  sending: Phase;
  /** Octets we may send; what was lent can become less than nothing (RFC 9113 section 6.9.2). */
  sendWindow: number;
  /** Octets the peer may send. */
  receiveWindow: number;
  /** Octets that the owner was given and has not consumed. */
  unconsumed = 0;
  /** Octets that the owner has consumed, and the peer has not been told of. */
  credit = 0;
  /** Octets that are still to come by `content-length`; -1 when nothing was said. */
  contentLeft = -1;
  /** Of a request that we sent: what its response may hold depends on it. */
  method = "";
  /** Heads of status 1xx that came. */
  informational = 0;
  /** Of its head and trailers, as received; counted as `MAX_FIELD_LIST`. */
  headOctets = 0;
  isClosed = false;

  constructor(id: number, windows: { readonly send: number; readonly receive: number }) {
    this.id = id;
    this.receiving = "head";
    this.sending = "head";
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
  }
}
