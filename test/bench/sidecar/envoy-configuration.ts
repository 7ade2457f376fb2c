/**
 * Envoy beside the caller and beside the callee, configured as Istio's sidecar is in what costs: mutual TLS with URI SANs,
 * RBAC, X-Forwarded-Client-Cert, request ids, paths normalised, Istio's access log. Its own statistics are on.
 */
import type { MixedRule } from "../policy/mixed-rules.ts";
import type { CertificateFiles } from "./bench-certificates.ts";
import { roleBasedAccess } from "./envoy-rules.ts";
import type { Carried, Ports } from "./proxy-side.ts";

/** What the two Envoys speak between them; gRPC is HTTP/2 always. */
export type EnvoyProtocol = "h1" | "h2";

export interface EnvoySettings {
  readonly protocol: EnvoyProtocol;
  readonly files: CertificateFiles;
  /** Where it takes connections. */
  readonly listen: Ports;
  /** Where they go on to. */
  readonly upstream: Ports;
  readonly accessLog: string;
}

const EXTENSIONS = "type.googleapis.com/envoy.extensions";
const LOOPBACK = "127.0.0.1";
const CALLEE_ID = "spiffe://cluster.local/ns/production/sa/api";
const CALLEE_SERVER_NAME = "outbound_.8080_._.api.production.svc.cluster.local";
const UNLIMITED = 4_294_967_295;
const ALPN: Readonly<Record<EnvoyProtocol, readonly string[]>> = {
  h1: ["istio-http/1.1", "http/1.1"],
  h2: ["h2"],
};
/** Istio's default, `meshConfig.accessLogFormat` (OBS-1). */
const LOG_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

export function callerBootstrap(settings: EnvoySettings): unknown {
  const { listen, upstream, protocol, files, accessLog } = settings;
  return bootstrap({
    listeners: portsOf(listen).map(([carried, port]) => ({
      name: `outbound-${carried}`,
      address: at(port),
      filter_chains: [{ filters: carriedBy(carried, { accessLog, side: "outbound" }) }],
    })),
    clusters: portsOf(upstream).map(([carried, port]) =>
      cluster(carried, {
        port,
        protocol: carried === "grpc" ? "h2" : protocol,
        transport_socket: originateMutualTls(files, carried === "grpc" ? "h2" : protocol),
      }),
    ),
  });
}

/** What a callee's proxy does beside authorizing, and whom it asks. */
export interface CalleeSteps {
  /** Of HTTP, in front of those that authorize. */
  readonly filters: readonly unknown[];
  readonly clusters: readonly unknown[];
}

/** @param rules further ones, in front of the one that allows */
export function calleeBootstrap(
  settings: EnvoySettings,
  rules: readonly MixedRule[] = [],
  steps: CalleeSteps = NO_STEPS,
): unknown {
  const { listen, upstream, protocol, files, accessLog } = settings;
  return bootstrap({
    listeners: portsOf(listen).map(([carried, port]) => ({
      name: `inbound-${carried}`,
      address: at(port),
      filter_chains: [
        {
          filters: carriedBy(carried, { accessLog, side: "inbound", rules, steps }),
          transport_socket: terminateMutualTls(files, carried === "grpc" ? "h2" : protocol),
        },
      ],
    })),
    clusters: [
      ...portsOf(upstream).map(([carried, port]) =>
        cluster(carried, { port, protocol: carried === "grpc" ? "h2" : "h1" }),
      ),
      ...steps.clusters,
    ],
  });
}

function bootstrap(resources: object): unknown {
  return { static_resources: resources };
}

function portsOf(ports: Ports): readonly (readonly [Carried, number])[] {
  return (["http", "grpc", "tcp"] as const).flatMap((carried) => {
    const port = ports[carried];
    return port === undefined ? [] : [[carried, port] as const];
  });
}

function at(port: number): unknown {
  return { socket_address: { address: LOOPBACK, port_value: port } };
}

interface Filters {
  readonly accessLog: string;
  readonly side: "inbound" | "outbound";
  readonly rules?: readonly MixedRule[];
  readonly steps?: CalleeSteps;
}

const NO_STEPS: CalleeSteps = { filters: [], clusters: [] };

function carriedBy(
  carried: Carried,
  { accessLog, side, rules = [], steps = NO_STEPS }: Filters,
): readonly unknown[] {
  const access_log = [
    typed("envoy.access_loggers.file", "access_loggers.file.v3.FileAccessLog", {
      path: accessLog,
      log_format: { text_format_source: { inline_string: LOG_FORMAT } },
    }),
  ];
  const stat_prefix = `${side}_${carried}`;
  if (carried === "tcp") {
    const proxy = { stat_prefix, cluster: carried, access_log };
    return [
      ...(side === "inbound" ? roleBasedAccess("network", rules) : []),
      typed("tcp", "filters.network.tcp_proxy.v3.TcpProxy", proxy),
    ];
  }
  const manager = {
    stat_prefix,
    access_log,
    normalize_path: true,
    ...(side === "inbound"
      ? {
          forward_client_cert_details: "APPEND_FORWARD",
          set_current_client_cert_details: { subject: true, dns: true, uri: true },
        }
      : { use_remote_address: true }),
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [routeTo(carried)] }] },
    http_filters: [
      ...steps.filters,
      ...(side === "inbound" ? roleBasedAccess("http", rules) : []),
      typed("router", "filters.http.router.v3.Router", {}),
    ],
  };
  return [
    typed("http", "filters.network.http_connection_manager.v3.HttpConnectionManager", manager),
  ];
}

function routeTo(name: string): unknown {
  return { match: { prefix: "/" }, route: { cluster: name, timeout: "0s" } };
}

function cluster(
  name: Carried,
  {
    port,
    protocol,
    ...rest
  }: {
    readonly port: number;
    readonly protocol: EnvoyProtocol;
    readonly transport_socket?: unknown;
  },
): unknown {
  const limits = { max_connections: UNLIMITED, max_requests: UNLIMITED };
  const options =
    protocol === "h2" ? { http2_protocol_options: {} } : { http_protocol_options: {} };
  return {
    name,
    type: "STATIC",
    connect_timeout: "10s",
    circuit_breakers: { thresholds: [{ ...limits, max_pending_requests: UNLIMITED }] },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }],
    },
    ...(name !== "tcp" && {
      typed_extension_protocol_options: {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
          "@type": `${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`,
          explicit_http_config: options,
        },
      },
    }),
    ...rest,
  };
}

function originateMutualTls(files: CertificateFiles, protocol: EnvoyProtocol): unknown {
  const san_type = "URI";
  const callee = [{ san_type, matcher: { exact: CALLEE_ID } }];
  const validation = { ...trusts(files), match_typed_subject_alt_names: callee };
  return typed("tls", "transport_sockets.tls.v3.UpstreamTlsContext", {
    sni: CALLEE_SERVER_NAME,
    common_tls_context: commonTls(files, { protocol, validation }),
  });
}

function terminateMutualTls(files: CertificateFiles, protocol: EnvoyProtocol): unknown {
  return typed("tls", "transport_sockets.tls.v3.DownstreamTlsContext", {
    require_client_certificate: true,
    common_tls_context: commonTls(files, { protocol, validation: trusts(files) }),
  });
}

function trusts({ root }: CertificateFiles): object {
  return { trusted_ca: { filename: root } };
}

function commonTls(
  { certificate, key }: CertificateFiles,
  { protocol, validation }: { readonly protocol: EnvoyProtocol; readonly validation: object },
): unknown {
  return {
    alpn_protocols: ALPN[protocol],
    tls_params: {
      tls_minimum_protocol_version: "TLSv1_2",
      tls_maximum_protocol_version: "TLSv1_3",
    },
    tls_certificates: [
      { certificate_chain: { filename: certificate }, private_key: { filename: key } },
    ],
    validation_context: validation,
  };
}

function typed(name: string, type: string, config: object): unknown {
  return { name, typed_config: { "@type": `${EXTENSIONS}.${type}`, ...config } };
}
