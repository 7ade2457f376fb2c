/** What is known of one inbound connection, whether it carries requests or bytes. */
import type { Connection } from "../policy/traffic.ts";
import type { InboundPort } from "../policy/workload-view.ts";
import type { Peer } from "./peer.ts";
import type { CallFacts } from "./recorder.ts";

export interface InboundCall {
  readonly facts: CallFacts;
  readonly connection: Connection;
  /** Absent on plaintext. */
  readonly peer: Peer | undefined;
  /** The roots the peer was verified against. */
  readonly rootsPem: readonly string[];
  /** The port as the newest view has it. */
  readonly port: () => InboundPort;
}

export function inboundCluster({ containerPort }: InboundPort): string {
  return `inbound|${containerPort}||`;
}
