/** Where connections go whose content is nobody's matter: TLS by its server name, and TCP. Plain data. */
import type { ResourceOrigin } from "../decision.ts";
import type { RouteDestination } from "./virtual-host.ts";

/** In order: the first that matches counts. None matches: the connection is closed. */
export interface StreamRoute {
  readonly origin: ResourceOrigin;
  /**
   * Of the destination that was called (`Destination.host`), with `*` as first label for any labels; in sidecars alone.
   * Absent: any.
   */
  readonly hosts?: readonly string[];
  /** In lower case; with `*` as first label for any labels. Absent: whatever it is, TLS or not. */
  readonly serverNames?: readonly string[];
  /** CIDRs of the address that was called; absent: any. */
  readonly destinationSubnets?: readonly string[];
  /** Of the service, in a sidecar; at a gateway it is settled when the view is made. */
  readonly port?: number;
  readonly destinations: readonly Omit<RouteDestination, "headers">[];
}
