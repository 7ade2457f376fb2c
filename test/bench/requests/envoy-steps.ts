/** Envoy's filters for the same steps, as istiod configures them where it does. */
import type { CalleeSteps } from "../sidecar/envoy-configuration.ts";
import { ISSUER } from "./bench-tokens.ts";

const EXTENSIONS = "type.googleapis.com/envoy.extensions";
const FILTERS = `${EXTENSIONS}.filters.http`;
/** As many tokens as our sidecar remembers. */
const REMEMBERED = 4_096;

/** @param memory whether tokens that were verified are remembered; istiod does not say so */
export function envoyTokens(jwks: string, memory: "remembers" | "forgets"): CalleeSteps {
  const provider = {
    issuer: ISSUER,
    local_jwks: { inline_string: jwks },
    payload_in_metadata: "payload",
    forward: true,
    ...(memory === "remembers" && { jwt_cache_config: { jwt_cache_size: REMEMBERED } }),
  };
  const either = {
    requires_any: {
      requirements: [{ provider_name: "issuer" }, { allow_missing: {} }],
    },
  };
  return {
    filters: [
      {
        name: "jwt",
        typed_config: {
          "@type": `${FILTERS}.jwt_authn.v3.JwtAuthentication`,
          providers: { issuer: provider },
          rules: [{ match: { prefix: "/" }, requires: either }],
        },
      },
    ],
    clusters: [],
  };
}

export function envoyLimit(): CalleeSteps {
  const always = { default_value: { numerator: 100, denominator: "HUNDRED" } };
  return {
    filters: [
      {
        name: "limit",
        typed_config: {
          "@type": `${FILTERS}.local_ratelimit.v3.LocalRateLimit`,
          stat_prefix: "limit",
          token_bucket: { max_tokens: 1_000_000, tokens_per_fill: 1_000_000, fill_interval: "1s" },
          filter_enabled: always,
          filter_enforced: always,
        },
      },
    ],
    clusters: [],
  };
}

export function envoyAuthorizer(port: number): CalleeSteps {
  return {
    filters: [
      {
        name: "authorizer",
        typed_config: {
          "@type": `${FILTERS}.ext_authz.v3.ExtAuthz`,
          transport_api_version: "V3",
          grpc_service: { envoy_grpc: { cluster_name: "authorizer" }, timeout: "10s" },
        },
      },
    ],
    clusters: [
      {
        name: "authorizer",
        type: "STATIC",
        connect_timeout: "10s",
        load_assignment: {
          cluster_name: "authorizer",
          endpoints: [{ lb_endpoints: [{ endpoint: { address: at(port) } }] }],
        },
        typed_extension_protocol_options: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": `${EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions`,
            explicit_http_config: { http2_protocol_options: {} },
          },
        },
      },
    ],
  };
}

function at(port: number): unknown {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}
