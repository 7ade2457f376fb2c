/** A workload: one running instance (pod) of something the user deployed, and where its ports can be reached. */
import type { WrittenGatewayTopology } from "../api/gateway-topology-settings.ts";
import type { WrittenProxyHeaders } from "../api/proxy-headers.ts";
import type { Labels } from "../api/resource.ts";

export interface SocketAddress {
  /** IP address, never a name. */
  readonly address: string;
  readonly port: number;
}

/** Addresses of a pod, or of a service, in a mesh whose pods have networks of their own. */
export interface IpAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export interface Workload {
  readonly namespace: string;
  /** Pod name, such as `api-0`. */
  readonly name: string;
  readonly uid: string;
  /** What it was made from: the name of a Deployment, StatefulSet or Job. People call the workload by it. */
  readonly owner: string;
  readonly ownerKind: "Deployment" | "StatefulSet" | "Job";
  readonly labels: Labels;
  readonly serviceAccount: string;
  /** Its own; absent where all pods share the machine's loopback. */
  readonly addresses?: IpAddresses;
  /** Whether a sidecar stands beside it. */
  readonly injected: boolean;
  /** It has no application: its proxy serves others, as view's `gateway` says. Only of one that is injected. */
  readonly gateway?: true;
  /** Whether it can serve; callers are not sent to one that cannot. */
  readonly ready: boolean;
  /** What the pod's own annotation says of them; absent: nothing. */
  readonly proxyHeaders?: WrittenProxyHeaders;
  /** The same, of a gateway, of what stands in front of it. */
  readonly gatewayTopology?: WrittenGatewayTopology;
  readonly ports: readonly WorkloadPort[];
  /** Where its sidecar listens for the application's own calls, one for each service port it may call. */
  readonly outboundListeners: readonly OutboundListener[];
  /** Where its sidecar serves as HTTP proxy to the application; absent without a sidecar. */
  readonly httpProxy?: SocketAddress;
}

/** One declared container port. Policy always speaks of `containerPort`, wherever the sockets really are. */
export interface WorkloadPort {
  readonly name: string;
  readonly containerPort: number;
  /** Where callers connect: the sidecar, or the application itself when there is none. */
  readonly listen: SocketAddress;
  /** Where the application really listens. */
  readonly application: SocketAddress;
}

export interface OutboundListener {
  readonly serviceNamespace: string;
  readonly serviceName: string;
  readonly servicePort: number;
  readonly listen: SocketAddress;
}
