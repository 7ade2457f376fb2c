/** What a connection tells its owner. No callback may feed the same connection; all else may be done in them. */
import type { PeerSettings } from "./peer-settings.ts";
import type { ReceivedHead } from "./received-head.ts";
import type { Following, Http2Stream } from "./stream.ts";

export type Role = "client" | "server";

/** Octets of a body, from `from` to before `to`. */
export interface BodyPiece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  /** "last" also of no octets at all. */
  readonly following: Following;
}

/** Something that RFC 9113 or our limits do not allow. */
export interface Http2Violation {
  /** 0: of the connection. */
  readonly streamId: number;
  /** See `ERROR_CODE`. */
  readonly code: number;
  /** For the log; nothing of it comes from the peer. */
  readonly problem: string;
}

export interface Http2Events<Context> {
  /**
   * A request, on a new stream, or a response to ours; a response may be preceded by some of status 1xx.
   *
   * @param head valid until the callback returns
   */
  head(stream: Http2Stream<Context>, head: ReceivedHead, following: Following): void;
  /**
   * Part of a body; every octet must be given back by `consumed` sooner or later, or the peer comes to a halt.
   *
   * @param piece valid until the callback returns
   */
  data(stream: Http2Stream<Context>, piece: BodyPiece): void;
  /** Fields behind a body, and the end of what the peer says on this stream. */
  trailers(stream: Http2Stream<Context>, fields: ReceivedHead): void;
  /**
   * The stream is gone: the peer has reset it, or it broke the rules, or the connection ended. REFUSED_STREAM from a
   * server says that nothing was done about the request. Not called for what the owner resets itself.
   *
   * @param code see `ERROR_CODE`
   */
  reset(stream: Http2Stream<Context>, code: number): void;
  /** More can be sent on a stream whose `sendData` took less than it was given. */
  writable(stream: Http2Stream<Context>): void;
  /** The peer has said, or changed, what it allows: more streams may be open now. */
  settings(peer: PeerSettings): void;
  /** The peer has taken note of our settings: the owner need not wait any longer (`SETTINGS_TIMEOUT_MS`). */
  settingsAcknowledged(): void;
  /** The peer opens no more streams, and takes no more of ours; those after `lastStreamId` were reset already. */
  goaway(lastStreamId: number, code: number): void;
  /** The answer to a `ping`. */
  pong(): void;
  /** After a GOAWAY either way, and when no stream is open any more: write what is left, then close. Called once. */
  drained(): void;
  /** A stream error, for the log; if the owner knows the stream, `reset` follows. */
  violation(violation: Http2Violation): void;
  /** A connection error: each stream is reset next; write what is left, which says why, then close. Called once. */
  failed(violation: Http2Violation): void;
  /** There is something to take: call `take` once this turn of the event loop is over. */
  flush(): void;
}
