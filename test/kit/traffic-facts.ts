/** Traffic as plain data, so that a test can change one fact of it, print it and read it again. */
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { Connection, HttpRequest, TokenPayload } from "../../src/policy/traffic.ts";

export interface ConnectionFacts {
  /** `spiffe://…`; absent on plaintext. */
  readonly principal?: string;
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  readonly serverName?: string;
}

export interface RequestFacts {
  readonly method: string;
  readonly path?: string;
  readonly authority?: string;
  readonly remoteAddress: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly token?: TokenPayload;
}

export interface TrafficFacts {
  readonly connection: ConnectionFacts;
  /** Absent where the connection carries no HTTP. */
  readonly request?: RequestFacts;
}

export const PLAIN_CONNECTION: ConnectionFacts = {
  sourceAddress: "10.0.0.1",
  destinationAddress: "10.0.0.2",
  destinationPort: 8080,
};

export const PLAIN_REQUEST: RequestFacts = {
  method: "GET",
  path: "/",
  authority: "api",
  remoteAddress: "10.0.0.1",
  headers: {},
};

export function connectionOf({ connection }: TrafficFacts): Connection {
  const { principal, ...rest } = connection;
  return {
    ...rest,
    sourcePort: 40_000,
    ...(principal === undefined ? {} : { principal: parseSpiffeId(principal) }),
  };
}

/** @returns undefined where the connection carries no HTTP */
export function requestOf(facts: TrafficFacts): HttpRequest | undefined {
  if (facts.request === undefined) return undefined;
  const { headers, ...rest } = facts.request;
  const known = new Map(Object.entries(headers));
  return { ...rest, connection: connectionOf(facts), header: (name) => known.get(name) };
}
