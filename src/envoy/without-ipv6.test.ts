import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { MeshViews } from "../policy/mesh-views.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { EnvoyResources } from "./envoy-json.ts";
import { envoyResources } from "./envoy-resources.ts";
import type { ProxySettings } from "./proxy-settings.ts";

const BOTH: ProxySettings = {
  version: "1.40.0",
  capture: { inboundPort: 15_006, outboundPort: 15_001 },
};
const IPV4: ProxySettings = { ...BOTH, ipv6: "absent" };

const application = (name: string, protocol: string): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: a, image: x, ports: [{name: web, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: ${protocol}, port: 80, targetPort: web}]}`;

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}${application("api", "tcp")}${application("web", "http")}`;

function viewOfWeb(further = ""): WorkloadView {
  const views = new MeshViews().build(snapshotOf(MESH + further, { addressing: "own" }));
  return [...views.values()].find(({ workload }) => workload.owner === "web") ?? assert.fail();
}

/** Addresses, in quotes, with two colons. */
const IPV6 = /"[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*"/g;

function addresses({ listeners, clusters, endpoints }: EnvoyResources): readonly string[] {
  return JSON.stringify([listeners, clusters, endpoints]).match(IPV6) ?? [];
}

test("a proxy without IPv6 is told of none, and of all else", () => {
  const view = viewOfWeb();
  const [both, ipv4] = [envoyResources(view, BOTH), envoyResources(view, IPV4)];
  assert.ok(addresses(both).length > 3, "otherwise there is nothing to be left out");
  assert.deepEqual(addresses(ipv4), []);
  const names = (of: EnvoyResources): readonly unknown[] => of.listeners.map(({ name }) => name);
  assert.deepEqual(
    names(ipv4),
    names(both).filter((name) => !String(name).includes("::")),
  );
  for (const { name, filterChains = [] } of ipv4.listeners)
    for (const { filterChainMatch } of filterChains)
      assert.notDeepEqual(filterChainMatch?.["prefixRanges"], [], `${name} would take all calls`);
});

const elsewhere = (name: string, addresses: string): string => `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: shop}
spec:
  hosts: [${name}.example.com]
  addresses: ${addresses}
  ports: [{number: 5432, name: tcp, protocol: TCP}]
  location: MESH_EXTERNAL
  resolution: STATIC
  endpoints: [{address: 192.0.2.1}]`;

test("what has places of both families keeps those of IPv4, whichever comes first", () => {
  const view = viewOfWeb(
    elsewhere("both", '["2001:db8::1", 198.51.100.1, "2001:db8::2", 198.51.100.2]') +
      elsewhere("first", '[203.0.113.1, "2001:db8::3"]') +
      elsewhere("new", '["2001:db8::4"]'),
  );
  const places = envoyResources(view, IPV4)
    .listeners.map(({ address, additionalAddresses = [] }) =>
      [{ address }, ...additionalAddresses].map((one) => one.address?.socketAddress),
    )
    .filter(([first]) => first?.portValue === 5432)
    .map((all) => all.map((one) => one?.address));
  assert.deepEqual(places, [["198.51.100.1", "198.51.100.2"], ["203.0.113.1"]]);
  assert.deepEqual(addresses(envoyResources(view, IPV4)), []);
});

test("what is made of the same view is the same", () => {
  const view = viewOfWeb();
  const [one, other] = [envoyResources(view, IPV4), envoyResources(view, IPV4)];
  assert.equal(one.listeners.at(-1), other.listeners.at(-1));
});
