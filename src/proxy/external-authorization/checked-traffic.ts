/** What authorizers are told: a connection, and perhaps a request on it, as far as it has come (EA-20..EA-25). */
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import type { Connection } from "../../policy/traffic.ts";
import type { BodyBeginning } from "../exchange.ts";
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

/** The first octets of a body: read while the question is written, and not kept. */
export type CheckedBody = BodyBeginning;

/** @returns a body's first octets, and that they are not all */
export function beginningOf({ pieces }: CheckedBody, most: number): CheckedBody {
  const kept: Buffer[] = [];
  let octets = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, most - octets);
    if (part.length > 0) kept.push(part);
    octets += part.length;
  }
  return { pieces: kept, octets, extent: "partial" };
}
