/**
 * What a mesh inside its own namespaces gets from the process that stayed outside, on the host: the way out, the way in,
 * and ports of the host's loopback. The two talk over an inherited pipe.
 */
import type { SocketAddress } from "../../policy/workload.ts";

/** Which user the mesh runs as: an ordinary one inside a user namespace, or the machine's own root. */
export type MeshUser = "ordinary" | "root";

/** A service port, and where the host's loopback offers it. */
export interface PublishedPort {
  /** `namespace/name` */
  readonly service: string;
  readonly port: number;
  readonly listen: SocketAddress;
  /** Where instead, if the host does not give that: it is asked for a port that others may have, or that needs a right. */
  readonly otherwise?: SocketAddress;
}

/** `listen` is where it is offered; `problem` says why it is not. */
export type PublishOutcome = PublishedPort & { readonly problem?: string };

/** Where the host's loopback offers the API server, and the Unix socket on which it is to listen. */
export interface ApiServerPlace {
  readonly port: number;
  readonly socketPath: string;
}

/** From the host side. The first message is "host". */
export type HostMessage =
  | {
      readonly type: "host";
      readonly user: MeshUser;
      /** Of the host side, as `/proc/self/ns/net` names it: whoever finds itself there is not inside. */
      readonly networkNamespace: string;
      readonly egressSocket: string;
      readonly ingressSocket: string;
      readonly apiServer: ApiServerPlace;
    }
  | { readonly type: "published"; readonly ports: readonly PublishOutcome[] }
  /** It was asked to end, by whatever signal. */
  | { readonly type: "stop" };

/** To the host side; each replaces what the one before asked for. */
export interface HostRequest {
  readonly type: "publish";
  readonly ports: readonly PublishedPort[];
}

export interface HostSide {
  readonly user: MeshUser;
  readonly egressSocket: string;
  readonly ingressSocket: string;
  readonly apiServer: ApiServerPlace;
  /** Offers these ports, and no others any more. */
  publish(ports: readonly PublishedPort[]): void;
  /** Hears how that went. */
  onPublished(receive: (ports: readonly PublishOutcome[]) => void): void;
}
