/** What a gRPC program is told that is its own proxy, as YAML to be read. `UPDATE_GOLDEN=1` writes it anew. */
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
import { proxylessResources } from "./proxyless-resources.ts";

const FOLDER = "test/goldens/envoy";

/** Of `web` in `proxyless-mesh.yaml`. */
function viewOfWeb(): WorkloadView {
  const name = "proxyless-mesh.yaml";
  const { resources, issues } = parseResources(readFileSync(join(FOLDER, name), "utf8"), name);
  assert.deepEqual(issues, []);
  let port = 20_000;
  const planned = planWorkloads(resources, {
    place: () => ({ address: "127.0.0.1", port: ++port }),
    uid: (key) => key,
  });
  const workloads = planned.map((workload) => ({ ...workload, ready: true }));
  const web = workloads.find(({ owner }) => owner === "web");
  assert.ok(web);
  return buildWorkloadView(buildSnapshot({ resources, workloads, rootsPem: [] }), web);
}

test("what a gRPC program is told of its callees and of itself", () => {
  // Plain: what is shared between them would be written as references.
  const told = JSON.parse(JSON.stringify(proxylessResources(viewOfWeb())));
  const file = join(FOLDER, "proxyless.yaml");
  const text = yamlText(told);
  if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
});

const TYPES = "type.googleapis.com/envoy.config";

test("all of it is in the messages that it is sent", () => {
  const { clusters, endpoints, listeners, routes } = proxylessResources(viewOfWeb());
  const typed = {
    [`${TYPES}.cluster.v3.Cluster`]: clusters,
    [`${TYPES}.endpoint.v3.ClusterLoadAssignment`]: endpoints,
    [`${TYPES}.listener.v3.Listener`]: listeners,
    [`${TYPES}.route.v3.RouteConfiguration`]: routes,
  };
  for (const [typeUrl, all] of Object.entries(typed)) {
    assert.ok(all.length > 0, typeUrl);
    for (const json of all) encodeResource(typeUrl, { name: "one", json });
  }
});

test("equal views make equal resources, and the same view the same objects", () => {
  const view = viewOfWeb();
  assert.deepEqual(proxylessResources(view), proxylessResources(viewOfWeb()));
  assert.equal(proxylessResources(view).clusters, proxylessResources(view).clusters);
});
