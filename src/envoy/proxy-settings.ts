/** What a proxy says of itself that its view does not: plain data, the same object for all proxies for which it is equal. */

/** The ports to which the kernel leads connections. */
export interface CapturePorts {
  readonly inboundPort: number;
  readonly outboundPort: number;
}

export interface ProxySettings {
  /** "grpc": it is no Envoy, but a gRPC program that speaks xDS itself. Absent: an Envoy. */
  readonly generator?: "grpc";
  /** Of Envoy: `1.40.0`; some forms need a certain one. */
  readonly version: string;
  /** Present where the kernel leads the pod's connections to the proxy; absent: it has ports of its own on loopback. */
  readonly capture?: CapturePorts;
  /** SO_MARK of the proxy's own connections, by which the kernel leaves them alone; absent: something else tells them. */
  readonly mark?: number;
  /**
   * After how long a connection that carries requests under mutual TLS serves no new ones, so that none outlives the
   * certificate that it was opened with; absent: never.
   */
  readonly connectionAgeSeconds?: number;
  /** Rules of a filter chain up to which each is asked in turn; absent: as many as that is cheap for. */
  readonly linearUpTo?: number;
  /** Whether it writes down, for its agent, what becomes of each request and connection; absent: it does not. */
  readonly decisionLog?: true;
  /** Of its machine; "absent": no address of IPv6 can be told to it. Absent: it has both. */
  readonly ipv6?: "absent";
}
