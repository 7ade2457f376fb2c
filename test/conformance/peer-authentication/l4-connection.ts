/** Connections as ztunnel's tests describe them. */
import { parseSpiffeId } from "../../../src/identity/spiffe-id.ts";
import type { Connection } from "../../../src/policy/traffic.ts";
import { connectionFrom } from "../../kit/mesh-parts.ts";
import type { ExclusionRule } from "../suite-runner.ts";

export interface L4Connection {
  /** Null on plaintext. */
  readonly identity: string | null;
  /** `ADDRESS:PORT`, as both. */
  readonly src: string;
  readonly dst?: string;
  /** Of no consequence: policies know no networks. */
  readonly dstNetwork?: string;
}

export const NO_IDENTITY: ExclusionRule<L4Connection> = {
  reason:
    "the caller's identity is none: it has a character that no SPIFFE ID has, and its handshake fails (SPIFFE-ID 2.2)",
  applies({ identity }) {
    if (identity === null) return false;
    try {
      return parseSpiffeId(identity) === "";
    } catch {
      return true;
    }
  },
};

export function connectionOf({ identity, src, dst }: L4Connection): Connection {
  const source = socketAddress(src);
  const destination = dst === undefined ? undefined : socketAddress(dst);
  return connectionFrom(identity ?? "plaintext", {
    sourceAddress: source.address,
    sourcePort: source.port,
    ...(destination && {
      destinationAddress: destination.address,
      destinationPort: destination.port,
    }),
  });
}

function socketAddress(text: string): { readonly address: string; readonly port: number } {
  const [, bracketed, plain = "", port] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(text) ?? [];
  return { address: bracketed ?? plain, port: Number(port) };
}
