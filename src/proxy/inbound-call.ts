/** What is known of one inbound connection, whether it carries requests or bytes. */
import type { Connection } from "../policy/traffic.ts";
import type { Log } from "../runtime/log.ts";
import { INBOUND_PASSTHROUGH } from "./cluster-names.ts";
import { formatAddress } from "./format-address.ts";
import type { ServedPort } from "./inbound-ports.ts";
import type { HttpFraming } from "./mesh-protocols.ts";
import type { PresentedCertificate } from "./peer.ts";
import type { CallFacts } from "./recorder.ts";
import type { AcceptedTransport } from "./refusal-today.ts";

export interface InboundCall extends AcceptedTransport {
  readonly facts: CallFacts;
  readonly connection: Connection;
  /** Of a client that is none of the mesh, which a gateway has verified; it makes nobody a principal. */
  readonly clientCertificate?: PresentedCertificate;
  /** What the two ends of a mutual TLS connection agreed on by ALPN. */
  readonly negotiated?: string;
  /** From then on the connection closes with its next answer; absent: its certificates say nothing. */
  readonly lastAnswerFrom?: Date;
  /** The port as the newest view has it. */
  readonly port: () => ServedPort;
}

export function inboundCluster({ containerPort, undeclared }: ServedPort): string {
  return undeclared ? INBOUND_PASSTHROUGH : `inbound|${containerPort}||`;
}

/** Connections may live for long: with this line one that does can be found. */
export function tellOpened(
  { facts, peer, port }: InboundCall,
  { log, protocol }: { readonly log: Log; readonly protocol: HttpFraming | "tcp" },
): void {
  log.info("connection opened", {
    from: formatAddress(facts.remote),
    port: port().containerPort,
    protocol,
    principal: peer?.id,
    serial: peer?.serialNumber,
  });
}
