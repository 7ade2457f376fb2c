/** What a caller's Envoy is told, as YAML to be read: users' resources in, Envoy's out. `UPDATE_GOLDEN=1` writes it anew. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseResources } from "../../api/parse-resources.ts";
import { yamlText } from "../../api/yaml-text.ts";
import { buildWorkloadView } from "../../policy/build-workload-view.ts";
import { buildSnapshot } from "../../policy/mesh-snapshot.ts";
import { planWorkloads } from "../../policy/plan-workloads.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import { encodeResource } from "../../wire/envoy/encode-resource.ts";
import type { EnvoyResources } from "../envoy-json.ts";
import { envoyResources } from "../envoy-resources.ts";
import type { ProxySettings } from "../proxy-settings.ts";

const FOLDER = "test/goldens/envoy";
const CAPTURED: ProxySettings = {
  version: "1.40.0",
  capture: { inboundPort: 15_006, outboundPort: 15_001 },
  mark: 1_337,
  connectionAgeSeconds: 3_600,
};

/** Of `web` in `mesh.yaml`: each pod and service with addresses of its own, or all of them on the machine's loopback. */
function viewOfWeb(network: "addresses" | "loopback"): WorkloadView {
  const { resources, issues } = parseResources(
    readFileSync(join(FOLDER, "mesh.yaml"), "utf8"),
    "mesh.yaml",
  );
  assert.deepEqual(issues, []);
  let port = 20_000;
  const planned = planWorkloads(resources, {
    place: () => ({ address: "127.0.0.1", port: ++port }),
    uid: (key) => key,
  });
  const workloads = planned.map((workload, index) => ({
    ...workload,
    ready: true,
    ...(network === "addresses" && {
      addresses: { ipv4: `10.244.0.${index + 2}`, ipv6: `fd00:10:244::${index + 2}` },
      ports: workload.ports.map((one) => {
        const at = { address: `10.244.0.${index + 2}`, port: one.containerPort };
        return { ...one, listen: at, application: at };
      }),
    }),
  }));
  const snapshot = buildSnapshot({
    resources,
    workloads,
    rootsPem: [],
    ...(network === "addresses" && {
      serviceAddresses: { "shop/cart": { ipv4: "10.96.0.2", ipv6: "fd00:10:96::2" } },
    }),
  });
  const web = workloads.find(({ owner }) => owner === "web");
  assert.ok(web);
  return buildWorkloadView(snapshot, web);
}

const PLACES = [
  ["captured", "addresses", CAPTURED],
  ["loopback", "loopback", { version: "1.40.0" }],
] as const;

for (const [name, network, settings] of PLACES) {
  test(`${name}: what an Envoy is told of its callees`, () => {
    const { clusters, endpoints, listeners, routes } = envoyResources(viewOfWeb(network), settings);
    const outbound = listeners.filter(({ trafficDirection }) => trafficDirection === "OUTBOUND");
    // Plain: what is shared between them would be written as references.
    const told = JSON.parse(JSON.stringify({ clusters, endpoints, listeners: outbound, routes }));
    const file = join(FOLDER, `${name}.yaml`);
    const text = yamlText(told);
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, text);
    assert.equal(text, readFileSync(file, "utf8"));
  });

  test(`${name}: all of it is in the messages that Envoy is sent`, () => {
    const resources = envoyResources(viewOfWeb(network), settings);
    for (const [typeUrl, all] of Object.entries(typed(resources))) {
      for (const json of all) encodeResource(typeUrl, { name: "one", json });
    }
  });

  test(`${name}: equal views make equal resources`, () => {
    const [one, other] = [viewOfWeb(network), viewOfWeb(network)];
    assert.deepEqual(envoyResources(one, settings), envoyResources(other, settings));
  });
}

test("what depends only on shared parts of views is shared", () => {
  const view = viewOfWeb("addresses");
  const other: WorkloadView = {
    ...view,
    workload: { ...view.workload, name: "web-1" },
    inbound: { ...view.inbound, ports: [] },
  };
  const [one, two] = [envoyResources(view, CAPTURED), envoyResources(other, CAPTURED)];
  const named = (resources: EnvoyResources) =>
    resources.clusters.find((cluster) => cluster.name?.startsWith("outbound|80||cart"));
  assert.ok(named(one));
  assert.equal(named(one), named(two));
  assert.equal(one.routes.at(-1), two.routes.at(-1));
  assert.equal(one.endpoints[0], two.endpoints[0]);
  assert.equal(one.listeners.at(-1), two.listeners.at(-1));
});

const TYPES = "type.googleapis.com/envoy.config";

function typed(resources: EnvoyResources): Readonly<Record<string, readonly object[]>> {
  return {
    [`${TYPES}.cluster.v3.Cluster`]: resources.clusters,
    [`${TYPES}.endpoint.v3.ClusterLoadAssignment`]: resources.endpoints,
    [`${TYPES}.listener.v3.Listener`]: resources.listeners,
    [`${TYPES}.route.v3.RouteConfiguration`]: resources.routes,
    [`${TYPES}.core.v3.TypedExtensionConfig`]: resources.extensionConfigs,
  };
}
