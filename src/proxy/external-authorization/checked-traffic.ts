/** What authorizers are told: a connection, and perhaps a request on it, as far as it has come (EA-20..EA-25). */
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import type { Connection } from "../../policy/traffic.ts";
import type { HeldFields } from "../http/held-fields.ts";
import type { HttpProtocol } from "../http/received-message.ts";

export interface CheckedConnection {
  readonly connection: Connection;
  /** Of the callee; absent on plaintext (EA-21). */
  readonly own: SpiffeId | undefined;
}

export interface CheckedRequest extends CheckedConnection {
  readonly protocol: HttpProtocol;
  readonly startedAt: Date;
  readonly method: string;
  readonly path: string;
  readonly authority: string | undefined;
  /** Those that go on are told. */
  readonly headers: HeldFields;
  /** Absent: none is wanted, or there is none. */
  readonly body?: CheckedBody | undefined;
}

/** The first octets of a body. */
export interface CheckedBody {
  readonly bytes: Buffer;
  readonly extent: "whole" | "partial";
}
