/** What is judged: a connection, and perhaps a request on it. */
import type { SpiffeId } from "../identity/spiffe-id.ts";

/** One inbound connection, as the callee's sidecar sees it. */
export interface Connection {
  /** Verified URI SAN of the client certificate; absent on plaintext. */
  readonly principal?: SpiffeId;
  /** The direct TCP peer, never from a header (AP-50). */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  /** The callee's own address as dialled (AP-92). */
  readonly destinationAddress: string;
  /** The callee's declared container port (AP-56). */
  readonly destinationPort: number;
  /** TLS server name; absent on plaintext (AP-94). */
  readonly serverName?: string;
}

/**
 * The payload of a verified JSON Web Token, as its claims are asked about: those that are lists in one text (`scope`)
 * are split (JWT-65). Plain JSON.
 */
export type TokenPayload = Readonly<Record<string, unknown>>;

/** One HTTP request on a connection. */
export interface HttpRequest {
  readonly connection: Connection;
  /** Case-sensitive, as received (AP-53). */
  readonly method: string;
  /** Normalised path (AP-100..AP-104) with its query, if any; absent for CONNECT without a path. */
  readonly path?: string;
  /** Host header or :authority with its port, as received; absent when missing (AP-52). */
  readonly authority?: string | undefined;
  /**
   * Address after X-Forwarded-For processing (AP-51, AP-51a).
   */
  readonly remoteAddress: string;
  /** Of a token that this workload's own proxy verified (JWT-68); absent when there is none. */
  readonly token?: TokenPayload | undefined;
  /**
   * @param name lower case
   * @returns all values joined with "," (AP-80), undefined when absent
   */
  header(name: string): string | undefined;
  /**
   * The same without what is for this hop only: of it the application hears nothing, so it lets nobody in. Absent: there is
   * nothing such.
   */
  passedHeader?(name: string): string | undefined;
}
