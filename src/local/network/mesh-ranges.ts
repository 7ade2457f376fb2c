/** Where everything lies in a mesh whose pods have networks of their own; no address of it is seen outside. */
import type { IpAddresses } from "../../policy/workload.ts";

export const BRIDGE = "hauberk0";
/** Of a pod's own interface. */
export const POD_INTERFACE = "eth0";

/** The bridge's own addresses: every pod's way out. */
export const ROUTER_ADDRESSES: IpAddresses = { ipv4: "10.244.0.1", ipv6: "fd00:10:244::1" };

export const POD_RANGES: IpAddresses = { ipv4: "10.244.0.0/16", ipv6: "fd00:10:244::/64" };
/** Of services: no interface has them, the kernel of each pod translates them. */
export const SERVICE_RANGES: IpAddresses = { ipv4: "10.96.0.0/16", ipv6: "fd00:10:96::/112" };

/** Where whatever is in a pod's way connects from (INJ-28). */
export const PASSTHROUGH_SOURCE: IpAddresses = { ipv4: "127.0.0.6", ipv6: "::6" };

/** In every pod that has a sidecar: outbound and inbound capture, names; as Istio's. */
export const CAPTURE_PORTS = { outbound: 15_001, inbound: 15_006, names: 15_053 } as const;

/** Where every sidecar tells of itself, on its pod's loopback; as Istio's. */
export const ADMIN_PORT = 15_000;

/** Of the router: the control plane, the gateway's way out, names. */
export const ROUTER_PORTS = { controlPlane: 15_012, egress: 15_002, names: 53 } as const;

/** On sockets of a sidecar, and of the supervisor when it asks a sidecar. */
export const SIDECAR_MARK = 1337;

/** Of what runs in a pod: its application, and, where the mesh is root's, its sidecar. */
export const APPLICATION_UID = 1000;
export const SIDECAR_UID = 1337;

/** In a sidecar that sees nothing of the data directory: the folder that it shares with its application. */
export const SHARED_FOLDER_DESCRIPTOR = 8;
/** In such a sidecar: the folder of its administration. */
export const ADMIN_FOLDER_DESCRIPTOR = 9;
