/** An Envoy that stands for all callers: whose certificate it shows is what a request's header names. */
import type { X509Svid } from "../../../src/identity/x509-svid.ts";
import { MESH_HTTP_ALPN } from "../../kit/envoy-callers.ts";

/** Place of the peer that is to call; it does not go on. */
export const PEER_HEADER = "x-peer";

export interface CallersSettings {
  readonly rootPem: string;
  readonly peers: readonly X509Svid[];
  /** Of each callee: where its callers are called, and where it is. */
  readonly callees: readonly { readonly listen: number; readonly callee: number }[];
}

const LOOPBACK = "127.0.0.1";
const SERVER_NAME = "outbound_.8080_._.api.production.svc.cluster.local";
const EXTENSIONS = "type.googleapis.com/envoy.extensions";

export function callersBootstrap({ rootPem, peers, callees }: CallersSettings): object {
  return {
    static_resources: {
      listeners: callees.map(({ listen, callee }) => listener(listen, callee, peers.length)),
      clusters: callees.flatMap(({ callee }) =>
        peers.map((svid, peer) => cluster(clusterName(callee, peer), { callee, svid, rootPem })),
      ),
    },
  };
}

function clusterName(callee: number, peer: number): string {
  return `${callee} by ${peer}`;
}

function listener(listen: number, callee: number, peers: number): object {
  const routes = Array.from({ length: peers }, (_, peer) => ({
    match: {
      prefix: "/",
      headers: [{ name: PEER_HEADER, string_match: { exact: String(peer) } }],
    },
    route: { cluster: clusterName(callee, peer), timeout: "0s" },
  }));
  const manager = {
    "@type": `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "callers",
    route_config: {
      request_headers_to_remove: [PEER_HEADER],
      virtual_hosts: [{ name: "all", domains: ["*"], routes }],
    },
    http_filters: [
      {
        name: "router",
        typed_config: { "@type": `${EXTENSIONS}.filters.http.router.v3.Router` },
      },
    ],
  };
  return {
    name: `callers of ${callee}`,
    address: at(listen),
    filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
  };
}

function cluster(
  name: string,
  {
    callee,
    svid: { certificateChainPem, privateKeyPem },
    rootPem,
  }: { readonly callee: number; readonly svid: X509Svid; readonly rootPem: string },
): object {
  return {
    name,
    type: "STATIC",
    connect_timeout: "10s",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at(callee) } }] }],
    },
    transport_socket: {
      name: "tls",
      typed_config: {
        "@type": `${EXTENSIONS}.transport_sockets.tls.v3.UpstreamTlsContext`,
        sni: SERVER_NAME,
        common_tls_context: {
          alpn_protocols: MESH_HTTP_ALPN,
          tls_certificates: [
            {
              certificate_chain: { inline_string: certificateChainPem },
              private_key: { inline_string: privateKeyPem },
            },
          ],
          validation_context: { trusted_ca: { inline_string: rootPem } },
        },
      },
    },
  };
}

function at(port: number): object {
  return { socket_address: { address: LOOPBACK, port_value: port } };
}
