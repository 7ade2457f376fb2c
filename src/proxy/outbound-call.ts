/** What is known of one connection of the application's own. */
import type { Destination } from "../policy/workload-view.ts";
import type { CallFacts } from "./recorder.ts";

export interface OutboundCall {
  readonly facts: CallFacts;
  /** How the application says where it wants to go. */
  readonly via: "http-proxy" | DestinationName;
}

/** A destination by name: the newest view says what stands behind it. */
export type DestinationName = Pick<Destination, "host" | "servicePort">;

/** `outbound|8080||api.production.svc.cluster.local` */
export function outboundCluster({ host, servicePort }: DestinationName): string {
  return `outbound|${servicePort}||${host}`;
}
