/**
 * What a gRPC program is started with that speaks xDS itself: whom to ask, as whom, and where its certificate is. Pure.
 * Source: gRFC A27, A29, A36; istiod's agent, `grpcxds/grpc_bootstrap.go`
 */
import { CERTIFICATE_PROVIDER } from "../../envoy/proxyless/proxyless-clusters.ts";
import { SERVER_LISTENER_PREFIX } from "../../envoy/proxyless/proxyless-listeners.ts";
import { CERTIFICATE_FILE, KEY_FILE, ROOTS_FILE } from "./proxyless-files.ts";

export interface GrpcBootstrapInputs {
  /** `sidecar~10.0.0.1~api-0.shop~shop.svc.cluster.local` */
  readonly nodeId: string;
  readonly namespace: string;
  readonly name: string;
  /** The workload's owner: `api`. */
  readonly owner: string;
  /** Where the program sees the files; absolute. */
  readonly folder: string;
  /** Where the program sees the socket by which it is served; absolute. */
  readonly socket: string;
}

/** Programs look for new files that often. It is short, as the mesh does not wait for them when authorities are replaced. */
const REFRESH_INTERVAL = "1s";

export function grpcBootstrap(inputs: GrpcBootstrapInputs): object {
  const { nodeId, namespace, name, owner, folder, socket } = inputs;
  return {
    xds_servers: [
      {
        server_uri: `unix://${socket}`,
        channel_creds: [{ type: "insecure" }],
        server_features: ["xds_v3"],
      },
    ],
    node: {
      id: nodeId,
      cluster: `${owner}.${namespace}`,
      // Empty, but there: without it grpc-js refuses the file.
      locality: {},
      metadata: { GENERATOR: "grpc", NAMESPACE: namespace, NAME: name },
    },
    certificate_providers: {
      [CERTIFICATE_PROVIDER]: {
        plugin_name: "file_watcher",
        config: {
          certificate_file: `${folder}/${CERTIFICATE_FILE}`,
          private_key_file: `${folder}/${KEY_FILE}`,
          ca_certificate_file: `${folder}/${ROOTS_FILE}`,
          refresh_interval: REFRESH_INTERVAL,
        },
      },
    },
    server_listener_resource_name_template: `${SERVER_LISTENER_PREFIX}%s`,
  };
}
