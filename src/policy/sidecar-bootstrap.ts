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
  /** Password of the pod's HTTP proxy; the user name is the pod's name. */
  readonly proxyPassword: string;
  /** Requested certificate lifetime, in seconds (CA-30). */
  readonly certificateLifetimeSeconds: number;
}

/** Messages to a sidecar. */
export type SidecarInstruction =
  | SidecarBootstrap
  /** A fresh token, before the old one expires. */
  | { readonly type: "token"; readonly token: string }
  /** What now runs as the application, one process a container: it and its descendants are the sidecar's own workload. */
  | { readonly type: "application"; readonly processIds: readonly number[] };

/** Messages from a sidecar. */
export type SidecarReport =
  /** It has a certificate and its first view, and serves. */
  { readonly type: "ready" };
