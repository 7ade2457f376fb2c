import assert from "node:assert/strict";
import { test } from "node:test";
import { destination, inboundPort, workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import type { AppliedPolicy, WorkloadView } from "../policy/workload-view.ts";
import { readConfigDump } from "./config-dump.ts";
import { envoyConfig } from "./envoy-config.ts";
import type { FilterChain } from "./envoy-json.ts";
import { chainsOf } from "./network-filters.ts";
import { secretReference } from "./secret-references.ts";

const CAPTURE = { inboundPort: 15_006, outboundPort: 15_001 };
const source = { file: "policies.yaml", line: 1 };

function viewOf(mode: MutualTlsMode, protocol: PortProtocol = "http"): WorkloadView {
  const port = inboundPort({ listen: 7080, application: 7081 });
  const view = workloadView({
    rootsPem: [],
    ports: [{ ...port, protocol, mutualTls: { mode, origin: "default" } }],
    destinations: [
      { ...destination({ name: "billing", port: 7001, listen: 7002 }), addresses: ["10.96.0.7"] },
    ],
  });
  const undeclaredPorts = { mutualTls: { mode, origin: "default" }, ports: [] } as const;
  return { ...view, interception: { undeclaredPorts, unknownDestinations: "ALLOW_ANY" } };
}

function inboundOf(view: WorkloadView): readonly FilterChain[] {
  const { listeners } = envoyConfig(view, CAPTURE);
  const inbound = listeners.find(({ name }) => name === "virtualInbound");
  return (inbound?.filterChains ?? []).filter(
    ({ filterChainMatch }) => filterChainMatch?.destinationPort === 8080,
  );
}

const MODES: readonly [MutualTlsMode, PortProtocol, ways: string][] = [
  ["STRICT", "http", "tls+"],
  ["STRICT", "tcp", "tls+"],
  ["STRICT", "auto", "tls+ tls+"],
  ["PERMISSIVE", "http", "tls+ raw_buffer"],
  ["PERMISSIVE", "tcp", "tls+ tls raw_buffer"],
  ["PERMISSIVE", "auto", "tls+ raw_buffer tls+ raw_buffer tls"],
  ["DISABLE", "http", "raw_buffer"],
  ["DISABLE", "auto", "raw_buffer raw_buffer tls tls"],
];

for (const [mode, protocol, ways] of MODES) {
  test(`PA-1: ${mode} on a port of ${protocol} takes ${ways}, + where TLS of the mesh is taken off`, () => {
    const told = inboundOf(viewOf(mode, protocol)).map(
      ({ filterChainMatch, transportSocket }) =>
        `${filterChainMatch?.transportProtocol}${transportSocket === undefined ? "" : "+"}`,
    );
    assert.equal(told.join(" "), ways);
  });
}

test("TLS-4: a chain with TLS names its secrets, the trust domain, and demands a certificate", () => {
  const [chain] = inboundOf(viewOf("STRICT"));
  const settings = chain?.transportSocket?.typedConfig;
  assert.equal(settings?.["requireClientCertificate"], true);
  const common = settings?.["commonTlsContext"];
  assert.ok(typeof common === "object" && common !== null);
  const told = common as Readonly<Record<string, unknown>>;
  assert.deepEqual(told["tlsCertificateSdsSecretConfigs"], [secretReference("default")]);
  assert.deepEqual(told["combinedValidationContext"], {
    defaultValidationContext: {
      matchTypedSubjectAltNames: [
        { sanType: "URI", matcher: { prefix: "spiffe://cluster.local/" } },
      ],
    },
    validationContextSdsSecretConfig: secretReference("ROOTCA"),
  });
});

test("every listener has a list of chains, so that `.filterChains[]` of jq never meets null", () => {
  for (const capture of [undefined, CAPTURE]) {
    for (const { name, filterChains } of envoyConfig(viewOf("STRICT"), capture).listeners)
      assert.ok(Array.isArray(filterChains), name);
  }
});

test("AP-34: rules are named as Istio names them, those on trial in the shadow", () => {
  const ref = { kind: "AuthorizationPolicy", namespace: "shop", name: "readers" };
  const rule = { line: 1, from: [], to: [], when: [] };
  const policy: AppliedPolicy = { ref, source, action: "ALLOW", rules: [rule, rule] };
  const trial: AppliedPolicy = { ...policy, ref: { ...ref, name: "trial" }, dryRun: true };
  const view = viewOf("STRICT");
  const authorization = { ...view.inbound.authorization, allow: [policy, trial] };
  const [chain] = inboundOf({ ...view, inbound: { ...view.inbound, authorization } });
  const rbac = chain?.filters?.[0]?.typedConfig?.httpFilters?.[0];
  assert.equal(rbac?.name, "envoy.filters.http.rbac");
  assert.deepEqual(Object.keys(rbac?.typedConfig?.rules?.policies ?? {}), [
    "ns[shop]-policy[readers]-rule[0]",
    "ns[shop]-policy[readers]-rule[1]",
  ]);
  assert.deepEqual(Object.keys(rbac?.typedConfig?.shadowRules?.policies ?? {}), [
    "ns[shop]-policy[trial]-rule[0]",
    "ns[shop]-policy[trial]-rule[1]",
  ]);
});

test("TLS-20, TLS-34: automatic mutual TLS goes by endpoint, and says whom the callee must prove to be", () => {
  const { clusters, endpoints } = envoyConfig(viewOf("STRICT"), CAPTURE);
  const cluster = clusters.find(({ name }) => name?.includes("billing"));
  assert.equal(cluster?.type, "EDS");
  const text = JSON.stringify(cluster);
  assert.match(text, /"name":"tlsMode-istio","match":\{"tlsMode":"istio"\}/);
  assert.match(text, /"sanType":"URI","matcher":\{"exact":"spiffe:\/\/cluster\.local\/ns\//);
  const assignment = endpoints.find(({ clusterName }) => clusterName === cluster?.name);
  const { metadata } = assignment?.endpoints?.[0]?.lbEndpoints?.[0] ?? {};
  assert.deepEqual(metadata?.filterMetadata?.["envoy.transport_socket_match"], {
    tlsMode: "istio",
  });
});

test("TLS-30: a DestinationRule that demands no TLS leaves no TLS", () => {
  const view = viewOf("STRICT");
  const origin = { ref: { kind: "DestinationRule", namespace: "shop", name: "plain" }, source };
  const destinations = view.outbound.destinations.map((one) => ({
    ...one,
    clientTls: { mode: "DISABLE", origin } as const,
  }));
  const { clusters } = envoyConfig({ ...view, outbound: { destinations } }, CAPTURE);
  const cluster = clusters.find(({ name }) => name?.includes("billing"));
  assert.equal(cluster?.["transportSocketMatches"], undefined);
  assert.deepEqual(cluster?.metadata?.filterMetadata?.["istio"], {
    config: "/apis/networking.istio.io/v1/namespaces/shop/destination-rule/plain",
  });
});

test("requests of one port share a listener, which goes by the port's routes", () => {
  const { listeners, routes } = envoyConfig(viewOf("STRICT"), CAPTURE);
  const outbound = listeners.find(({ name }) => name === "0.0.0.0_8080");
  assert.ok(outbound);
  const [manager] = chainsOf(outbound)[0]?.filters ?? [];
  assert.equal(manager?.typedConfig?.rds?.routeConfigName, "8080");
  const [host] = routes.find(({ name }) => name === "8080")?.virtualHosts ?? [];
  assert.deepEqual(host?.domains?.slice(0, 2), ["billing.production.svc.cluster.local", "billing"]);
});

test("Envoy's names in snake case are read, and names of users left alone", () => {
  const { listeners } = readConfigDump({
    configs: [
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
        dynamic_listeners: [
          {
            active_state: {
              listener: {
                filter_chains: [
                  {
                    filter_chain_match: { destination_port: 80 },
                    metadata: { filter_metadata: { istio: { own_name: "x" } } },
                  },
                ],
              },
            },
          },
        ],
      },
    ],
  });
  assert.deepEqual(listeners, [
    {
      filterChains: [
        {
          filterChainMatch: { destinationPort: 80 },
          metadata: { filterMetadata: { istio: { own_name: "x" } } },
        },
      ],
    },
  ]);
});
