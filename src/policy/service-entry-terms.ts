/** What a view says of a destination that a ServiceEntry describes: where it lies, and how its endpoints are found. */
import type { ServiceEntry } from "../api/service-entry.ts";
import type { ResourceOrigin } from "./decision.ts";

export interface ServiceEntryTerms {
  readonly origin: ResourceOrigin;
  readonly location: ServiceEntry["location"];
  /** `NONE`: it has no endpoints, and a call goes to the address that the application called. */
  readonly resolution: ServiceEntry["resolution"];
  /** The port of the callee, with `NONE`; absent: the one that was called. */
  readonly targetPort?: number;
  /** CIDRs of the addresses that mean it, beside `addresses`. */
  readonly ranges?: readonly string[];
  /** The application speaks TLS by itself: its server name says which host it means. */
  readonly toldBySni?: true;
  /** Endpoints that the sidecar looks up by name, and calls at what it finds. */
  readonly lookUp?: readonly LookedUpEndpoint[];
  /** Of the certificates of callees outside the mesh, where nothing else says it (TLS-38). */
  readonly subjectAltNames?: readonly string[];
}

export interface LookedUpEndpoint {
  readonly workload: string;
  readonly host: string;
  readonly port: number;
  readonly mutualTls: boolean;
}
