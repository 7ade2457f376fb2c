/**
 * Callees of a gRPC program as clusters that gRPC understands, and their endpoints.
 * Source: gRFC A27 (endpoints), A29 (TLS), A32 (limits), A42 (ring hash); istiod's `grpcgen/cds.go`
 */
import type { Outbound, Trust } from "../../policy/workload-view.ts";
import { BY_ADS, type ClusterLoadAssignment, type EnvoyCluster } from "../envoy-json.ts";
import { BLACK_HOLE, outboundClusterName } from "../istio-names.ts";
import type { AnyDestination } from "../outbound/destination-reach.ts";
import { policyOf } from "../outbound/traffic-policy-terms.ts";
import { remembered } from "../remembered.ts";
import { MESH_ROOTS, OWN_CERTIFICATE } from "../secret-references.ts";
import { tlsSocket } from "../tls-parameters.ts";
import { calledEndpoints, proxylessCallees, transportOf } from "./proxyless-callees.ts";

/** Under which a program's bootstrap says where key, certificate and roots are: Istio's name. */
export const CERTIFICATE_PROVIDER = "default";

export const proxylessClusters: (outbound: Outbound, trust: Trust) => readonly EnvoyCluster[] =
  remembered((outbound, trust) => [
    ...proxylessCallees(outbound).map((one) => cluster(one, trust)),
    NOBODY,
  ]);

export const proxylessEndpoints: (outbound: Outbound) => readonly ClusterLoadAssignment[] =
  remembered((outbound) => [
    ...proxylessCallees(outbound).map((one) => endpoints(one)),
    NOBODYS_ENDPOINTS,
  ]);

const cluster: (destination: AnyDestination, trust: Trust) => EnvoyCluster = remembered(
  (destination, trust) => ({
    ...toldEndpoints(outboundClusterName(destination)),
    ...loadBalancing(destination),
    // Where nothing is said, gRPC stops at 1024.
    circuitBreakers: {
      thresholds: [{ maxRequests: policyOf(destination).connectionPool.maxRequests }],
    },
    ...(transportOf(destination) === "mesh-tls" && {
      transportSocket: tlsSocket("UpstreamTlsContext", {
        commonTlsContext: tls(destination, trust),
      }),
    }),
  }),
);

const endpoints: (destination: AnyDestination) => ClusterLoadAssignment = remembered(
  (destination) => {
    const called = calledEndpoints(destination);
    return {
      clusterName: outboundClusterName(destination),
      endpoints:
        called.length === 0
          ? []
          : [
              {
                locality: {},
                // gRPC passes over places without weight.
                loadBalancingWeight: 1,
                lbEndpoints: called.map(({ address: { address, port } }) => ({
                  endpoint: { address: { socketAddress: { address, portValue: port } } },
                  healthStatus: "HEALTHY",
                  loadBalancingWeight: 1,
                })),
              },
            ],
    };
  },
);

/** What leads nowhere leads here: gRPC would wait 15 seconds for a cluster that does not exist. */
const NOBODY: EnvoyCluster = toldEndpoints(BLACK_HOLE);
const NOBODYS_ENDPOINTS: ClusterLoadAssignment = { clusterName: BLACK_HOLE, endpoints: [] };

function toldEndpoints(name: string): EnvoyCluster {
  return { name, type: "EDS", edsClusterConfig: { edsConfig: BY_ADS, serviceName: name } };
}

/** gRPC knows two ways, and refuses a cluster with any other: calls are then spread in turn. */
function loadBalancing(destination: AnyDestination): object {
  const { loadBalancing: wanted } = policyOf(destination);
  if (wanted.algorithm !== "RING_HASH") return { lbPolicy: "ROUND_ROBIN" };
  return {
    lbPolicy: "RING_HASH",
    ringHashLbConfig: { minimumRingSize: wanted.minimumRingSize },
  };
}

/**
 * TLS-34, by files of the program. Names stand in the older field: gRPC passes over the newer one, and without any name it
 * believes every certificate of the mesh. Versions and revocation lists cannot be said: gRPC refuses them.
 */
function tls({ identities }: AnyDestination, trust: Trust): object {
  return {
    tlsCertificateProviderInstance: instance(OWN_CERTIFICATE),
    combinedValidationContext: {
      defaultValidationContext: {
        matchSubjectAltNames: identities.length > 0 ? identities.map(exact) : ofTheMesh(trust),
        caCertificateProviderInstance: instance(MESH_ROOTS),
      },
    },
  };
}

function exact(name: string): object {
  return { exact: name };
}

/** Where nobody is named, anybody of the trust domain may be the callee (QK-29). */
function ofTheMesh({ trustDomain, trustDomainAliases }: Trust): readonly object[] {
  return [trustDomain, ...trustDomainAliases].map((domain) => ({ prefix: `spiffe://${domain}/` }));
}

/** envoy.extensions.transport_sockets.tls.v3.CertificateProviderPluginInstance */
function instance(certificateName: string): object {
  return { instanceName: CERTIFICATE_PROVIDER, certificateName };
}
