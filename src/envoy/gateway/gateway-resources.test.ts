/** What a gateway's Envoy is told: chains, routes and the secrets that they name. Whether a real one takes it, the interop tests say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clientAuthority,
  httpServer,
  ORIGIN,
  serverCertificate,
  tlsOf,
  trustIn,
} from "../../../test/kit/edge-stage.ts";
import { destination, workloadView } from "../../../test/kit/sidecar-fixture.ts";
import type { GatewayServer } from "../../policy/gateway-view.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { FilterChain } from "../envoy-json.ts";
import { envoyResources } from "../envoy-resources.ts";
import { envoySecrets } from "../envoy-secrets.ts";

const SETTINGS = { version: "1.40.0" };
const CAPTURED = { ...SETTINGS, capture: { inboundPort: 15_006, outboundPort: 15_001 } };
const certificate = serverCertificate("shop.example.com");

function gatewayOf(...servers: readonly GatewayServer[]): WorkloadView {
  const listen = { address: "127.0.0.1", port: 7443 };
  return {
    ...workloadView({
      name: "front",
      rootsPem: [],
      destinations: [destination({ name: "web", port: 1 })],
    }),
    gateway: { listeners: [{ port: 443, containerPort: 8443, listen, servers }] },
  };
}

function chainsOf(view: WorkloadView): readonly FilterChain[] {
  return envoyResources(view, SETTINGS).listeners[0]?.filterChains ?? [];
}

function contextOf(chain: FilterChain | undefined): Readonly<Record<string, unknown>> {
  const context = chain?.transportSocket?.typedConfig?.["commonTlsContext"];
  assert.ok(typeof context === "object" && context !== null);
  return context as Readonly<Record<string, unknown>>;
}

test("keys and authorities are asked for by name, and the agent has them", () => {
  const tls = tlsOf("MUTUAL", certificate, { clientTrust: trustIn(clientAuthority) });
  const view = gatewayOf(httpServer("shop.example.com", tls));
  const [chain] = chainsOf(view);
  assert.equal(chain?.transportSocket?.typedConfig?.["requireClientCertificate"], true);
  const told = JSON.stringify(envoyResources(view, SETTINGS));
  assert.doesNotMatch(told, /PRIVATE KEY|BEGIN CERTIFICATE/);
  const secrets = envoySecrets(view, "/roots.pem");
  const asked = [...JSON.stringify(contextOf(chain)).matchAll(/"name":"([^"]+)","sdsConfig"/g)];
  assert.deepEqual(
    asked.map(([, name = ""]) => secrets.get(name)?.kind),
    ["certificate", "trust"],
  );
});

test("two servers with one certificate may believe different clients", () => {
  const mutual = (pem: string) =>
    tlsOf("MUTUAL", certificate, {
      clientTrust: { ...trustIn(clientAuthority), authoritiesPem: pem },
    });
  const view = gatewayOf(
    httpServer("one.example.com", mutual("one")),
    httpServer("two.example.com", mutual("two")),
  );
  const trusted = [...envoySecrets(view, "").values()].flatMap((secret) =>
    secret.kind === "trust" ? [secret.rootsPem] : [],
  );
  assert.deepEqual(trusted, ["one", "two"]);
});

test("TLS-4: callers of the mesh have one of the names that are demanded, and of the trust domain", () => {
  const demanded = (...subjectAltNames: readonly string[]) => {
    const callers = { subjectAltNames, certificateHashes: [], publicKeyHashes: [] };
    const view = gatewayOf(
      httpServer("shop.example.com", tlsOf("ISTIO_MUTUAL", undefined, { callers })),
    );
    return JSON.stringify(contextOf(chainsOf(view)[0])["combinedValidationContext"]);
  };
  assert.match(demanded(), /"prefix":"spiffe:\/\/cluster\.local\/"/);
  const named = demanded("spiffe://cluster.local/ns/a/sa/b", "spiffe://foreign/ns/a/sa/b");
  assert.match(named, /"exact":"spiffe:\/\/cluster\.local\/ns\/a\/sa\/b"/);
  assert.doesNotMatch(named, /foreign|prefix/);
  assert.match(demanded("spiffe://foreign/ns/a/sa/b"), /"exact":"spiffe:\/\/"/);
});

for (const [name, tls] of Object.entries({
  "a Secret that is not there": tlsOf("SIMPLE", undefined, { problem: "there is no Secret" }),
  "suites that nobody knows": tlsOf("SIMPLE", certificate, { cipherSuites: ["RC4-SHA"] }),
  "versions that exclude each other": tlsOf("SIMPLE", certificate, {
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.2",
  }),
})) {
  test(`a server with ${name} ends no TLS, and leads nowhere`, () => {
    const [chain] = chainsOf(gatewayOf(httpServer("shop.example.com", tls)));
    assert.equal(chain?.transportSocket, undefined);
    assert.equal(chain?.filters?.[0]?.typedConfig?.cluster, "BlackHoleCluster");
  });
}

test("RFC 9110 15.5.20: a wildcard's routes do not serve the host of another server", () => {
  const wild = httpServer("*.example.com", tlsOf("SIMPLE", certificate));
  const strict = httpServer("api.example.com", tlsOf("MUTUAL", certificate));
  const { routes } = envoyResources(gatewayOf(wild, strict), SETTINGS);
  const [first, second] = routes[0]?.virtualHosts ?? [];
  assert.deepEqual(first?.domains, ["api.example.com"]);
  assert.equal(first?.routes?.[0]?.directResponse?.status, 421);
  assert.deepEqual(second?.domains, ["*.example.com"]);
});

test("TLS-44: what is passed on unopened is of the mesh, and goes to endpoints that speak mutual TLS", () => {
  const server: GatewayServer = {
    origins: [ORIGIN],
    serverNames: ["*.local"],
    tls: tlsOf("AUTO_PASSTHROUGH"),
    traffic: { is: "by-server-name" },
  };
  const view = gatewayOf(server);
  const [mesh] = view.outbound.destinations;
  assert.ok(mesh);
  const plain = destination({ name: "plain", port: 2, mutualTls: false });
  const both = { ...view, outbound: { destinations: [mesh, plain] } };
  const [chain, ...others] = chainsOf(both);
  assert.deepEqual(others, []);
  assert.deepEqual(chain?.filterChainMatch?.serverNames, [mesh.serverName]);
  assert.ok(chain?.filterChainMatch?.applicationProtocols?.includes("istio"));
  assert.equal(chain?.transportSocket, undefined);
  const { clusters } = envoyResources(both, SETTINGS);
  const cluster = clusters.find(({ name }) => name === mesh.serverName);
  assert.equal(cluster?.type, "EDS");
  assert.equal(cluster?.["transportSocket"] ?? cluster?.["transportSocketMatches"], undefined);
});

test("where the kernel leads connections, they are handed over to the gateway's ports, and nothing else is opened", () => {
  const undeclaredPorts = { mutualTls: { mode: "STRICT", origin: "default" }, ports: [] } as const;
  const view = {
    ...gatewayOf(httpServer("shop.example.com", tlsOf("SIMPLE", certificate))),
    interception: { undeclaredPorts, unknownDestinations: "ALLOW_ANY" } as const,
  };
  const { listeners } = envoyResources(view, CAPTURED);
  assert.deepEqual(
    listeners.map(({ name, bindToPort, useOriginalDst }) => [name, bindToPort, useOriginalDst]),
    [
      ["0.0.0.0_8443", false, undefined],
      ["virtualInbound", undefined, true],
    ],
  );
});
