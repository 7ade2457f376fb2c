/** What a sidecar and whoever started it say to each other. */
import type { RenewalRatios } from "../identity/rotation-schedule.ts";
import type { IpAddresses, SocketAddress } from "./workload.ts";

/**
 * What a sidecar is told by whoever starts it, over an inherited pipe and nowhere else: secrets never travel by
 * argument, environment or file. Everything about policy and addresses comes later, in its view.
 */
export interface SidecarBootstrap {
  readonly type: "bootstrap";
  readonly namespace: string;
  /** Pod name. */
  readonly name: string;
  /** Service account token for the certificate service: a JWT, audience `istio-ca`, bound to this pod. */
  readonly token: string;
  /** PEM of the root that the control plane's own certificate chains to. */
  readonly rootPem: string;
  /** Host and port of the control plane. */
  readonly controlPlane: string;
  /** Where to serve metrics and health, on loopback. */
  readonly adminPort: number;
  /** Path of the Unix socket for everything else that may be asked of it; absent: nothing else may. */
  readonly adminSocket?: string;
  /** Password of the pod's HTTP proxy; the user name is the pod's name. */
  readonly proxyPassword: string;
  /** What the mesh calls itself, told when a certificate is asked for (CA-3); absent: not told. */
  readonly cluster?: string;
  /** Requested certificate lifetime, in seconds (CA-30). */
  readonly certificateLifetimeSeconds: number;
  /** When certificates are renewed (CA-31); absent: as Istio does by default. */
  readonly renewal?: RenewalRatios;
  /** Present where the kernel leads the pod's connections to the sidecar. */
  readonly capture?: CaptureSettings;
  /** Present where the pod asks for a SPIFFE Workload API. */
  readonly workloadApi?: WorkloadApiSettings;
  /** Present where the pod's gRPC programs speak xDS themselves. */
  readonly proxyless?: ProxylessSettings;
  /** Path of Envoy's program, for the agent that is to run it; absent for our own data plane. */
  readonly envoy?: string;
}

/** The Unix socket on which a sidecar hands its workload its own key. */
export interface WorkloadApiSettings {
  readonly path: string;
  /** Who may connect: the sidecar's own user alone, or the group of the socket's folder too. */
  readonly access: "owner" | "group";
}

/** Where gRPC programs find key, certificate, roots and bootstrap as files, and the Unix socket by which they are served. */
export interface ProxylessSettings {
  readonly folder: string;
  readonly socket: string;
  /** The same two places as a program of the pod sees them; absolute. */
  readonly applicationFolder: string;
  readonly applicationSocket: string;
  /** Who may read and connect: the sidecar's own user alone, or the group of the folder too. */
  readonly access: "owner" | "group";
}

/** Where the kernel leads what it intercepts, and by what it knows the sidecar's own traffic. */
export interface CaptureSettings {
  /** 15001: connections that the application opens. */
  readonly outboundPort: number;
  /** 15006: connections that others open to the pod. */
  readonly inboundPort: number;
  /** 15053: DNS queries of the application, UDP and TCP. */
  readonly dnsPort: number;
  readonly podAddresses: IpAddresses;
  /** Who answers names that are not of the mesh. */
  readonly dnsUpstream: SocketAddress;
  /** Set on every socket that the sidecar connects (SO_MARK); absent where its uid exempts it. */
  readonly mark?: number;
}

/** Messages to a sidecar. */
export type SidecarInstruction =
  | SidecarBootstrap
  /** A fresh token, before the old one expires; with the root that the control plane's certificate chains to now. */
  | { readonly type: "token"; readonly token: string; readonly rootPem: string }
  /** What now runs as the application, one process a container: it and its descendants are the sidecar's own workload. */
  | { readonly type: "application"; readonly processIds: readonly number[] };

/** Messages from a sidecar. */
export type SidecarReport =
  /** It has a certificate and its first view, and serves. */
  | { readonly type: "ready" }
  /** Envoy ended by itself, and is started again by its agent. */
  | { readonly type: "restarted"; readonly problem: string }
  /** It cannot, and ends. */
  | { readonly type: "failed"; readonly problem: string };
