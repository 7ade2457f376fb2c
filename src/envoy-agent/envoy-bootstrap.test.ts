import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaptureSettings } from "../policy/sidecar-bootstrap.ts";
import { connectionAgeSeconds } from "./connection-age.ts";
import { envoyBootstrap } from "./envoy-bootstrap.ts";
import { proxyUsers } from "./proxy-users.ts";

const node = {
  id: "sidecar~10.0.0.1~api-0.shop~shop.svc.cluster.local",
  cluster: "api.shop",
  meshCluster: "Kubernetes",
  namespace: "shop",
  name: "api-0",
};
const capture: CaptureSettings = {
  outboundPort: 15_001,
  inboundPort: 15_006,
  dnsPort: 15_053,
  podAddresses: { ipv4: "10.0.0.1", ipv6: "fd00::1" },
  dnsUpstream: { address: "10.0.0.2", port: 53 },
  mark: 1_337,
};

interface Bootstrap {
  readonly node: { readonly metadata: Readonly<Record<string, unknown>> };
  readonly admin: object;
  readonly dynamicResources: Readonly<Record<string, { readonly initialFetchTimeout?: string }>>;
  readonly clusterManager?: object;
  readonly typedDnsResolverConfig?: object;
}

function bootstrapOf(own?: CaptureSettings): Bootstrap {
  return envoyBootstrap({ node, capture: own, connectionAgeSeconds: 60 }) as Bootstrap;
}

test("where the kernel leads connections, the control plane hears of the ports and the mark", () => {
  assert.deepEqual(bootstrapOf(capture).node.metadata["HAUBERK"], {
    capture: { inboundPort: 15_006, outboundPort: 15_001 },
    mark: 1_337,
    connectionAgeSeconds: 60,
  });
  assert.deepEqual(bootstrapOf().node.metadata["HAUBERK"], { connectionAgeSeconds: 60 });
  const told = envoyBootstrap({ node, connectionAgeSeconds: 60, decisionLog: true }) as Bootstrap;
  assert.deepEqual(told.node.metadata["HAUBERK"], { connectionAgeSeconds: 60, decisionLog: true });
  const ipv4 = envoyBootstrap({ node, connectionAgeSeconds: 60, ipv6: "absent" }) as Bootstrap;
  assert.deepEqual(ipv4.node.metadata["HAUBERK"], { connectionAgeSeconds: 60, ipv6: "absent" });
});

test("its own connections have the mark, and names are asked of the agent, only where there are such", () => {
  const { clusterManager, typedDnsResolverConfig } = bootstrapOf(capture);
  assert.match(JSON.stringify(clusterManager), /"level":1,"name":36,"intValue":1337/);
  assert.match(JSON.stringify(typedDnsResolverConfig), /"address":"127.0.0.1","portValue":15053/);
  const withoutMark = { ...capture };
  delete withoutMark.mark;
  assert.equal(bootstrapOf(withoutMark).clusterManager, undefined);
  assert.equal(bootstrapOf().clusterManager, undefined);
  assert.equal(bootstrapOf().typedDnsResolverConfig, undefined);
});

test("nothing is served before all was told: no first configuration is given up", () => {
  const { ldsConfig, cdsConfig } = bootstrapOf().dynamicResources;
  assert.deepEqual(
    [ldsConfig, cdsConfig].map((one) => one?.initialFetchTimeout),
    ["0s", "0s"],
  );
});

test("the administration, and the agent, are sockets in the agent's folder", () => {
  assert.deepEqual(bootstrapOf().admin, { address: { pipe: { path: "envoy.sock", mode: 0o600 } } });
  const text = JSON.stringify(bootstrapOf());
  assert.equal(text.match(/"pipe":\{"path":"agent.sock"\}/g)?.length, 2);
  assert.doesNotMatch(text, /socketAddress/);
});

const ages: readonly [lifetime: number, age: number][] = [
  [86_400, 3_600],
  [3_600, 1_440],
  [10, 4],
  [2, 1],
];
for (const [lifetime, age] of ages) {
  test(`a connection on a certificate of ${lifetime} s lives ${age} s at most`, () =>
    assert.equal(connectionAgeSeconds(lifetime), age));
}

test("the user of the HTTP proxy is written as `htpasswd -bns` writes it", () =>
  assert.equal(proxyUsers("api-0", "secret"), "api-0:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"));
