/**
 * `proxyHeaders` of a sidecar: what it tells an application of its callers' certificates, and whether it gives requests an
 * id. Apart from its reader, which sidecars do not need.
 */

/** Who may say who called (OBS-30..OBS-32). */
export const FORWARD_CLIENT_CERT_MODES = [
  "SANITIZE",
  "FORWARD_ONLY",
  "APPEND_FORWARD",
  "SANITIZE_SET",
  "ALWAYS_FORWARD_ONLY",
] as const;
export type ForwardClientCertMode = (typeof FORWARD_CLIENT_CERT_MODES)[number];

/** What is told of a caller's certificate besides its hash, in the order in which Envoy writes it (OBS-33). */
export const CLIENT_CERT_DETAILS = ["cert", "chain", "subject", "uri", "dns"] as const;
export type ClientCertDetail = (typeof CLIENT_CERT_DETAILS)[number];

export interface ProxyHeaders {
  readonly forwardedClientCert: ForwardClientCertMode;
  readonly clientCertDetails: readonly ClientCertDetail[];
  /** Of a request that comes without an id. */
  readonly requestId: "generated" | "as received";
}

/** Istio's for sidecars (OBS-30). */
export const DEFAULT_PROXY_HEADERS: ProxyHeaders = {
  forwardedClientCert: "APPEND_FORWARD",
  clientCertDetails: ["subject", "uri", "dns"],
  requestId: "generated",
};

/** What was written in one place; what is absent is said elsewhere, or is the default. */
export type WrittenProxyHeaders = Partial<ProxyHeaders>;

/**
 * What holds for one sidecar. As in Istio a pod that has any takes from the mesh what it does not say itself, but for the
 * details of certificates.
 */
export function effectiveProxyHeaders(
  mesh: WrittenProxyHeaders,
  own: WrittenProxyHeaders | undefined,
): ProxyHeaders {
  const { clientCertDetails: _, ...inherited } = mesh;
  return { ...DEFAULT_PROXY_HEADERS, ...(own === undefined ? mesh : { ...inherited, ...own }) };
}
