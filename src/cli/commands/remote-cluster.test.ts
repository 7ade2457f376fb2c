import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../../api/parse-resources.ts";
import { NoRemoteClusterError, remoteClusterDocument } from "./remote-cluster.ts";

for (const cluster of ["east", "Kubernetes", "1", "true", "0x1f", "1e3", "null"]) {
  test(`what is printed for the cluster ${cluster} is read again as what it was`, () => {
    const printed = remoteClusterDocument({
      cluster,
      trustDomain: "east.local",
      listen: "127.0.0.1:20001",
    });
    const { resources, issues } = parseResources(printed.join("\n"), "r.yaml");
    assert.deepEqual(issues, []);
    const [found] = resources;
    assert.ok(found?.kind === "RemoteCluster");
    assert.equal(found.meta.name, cluster);
    assert.deepEqual(found.server, { address: "127.0.0.1", port: 20001 });
    assert.equal(found.trustDomain, "east.local");
  });
}

test("a mesh with a network of its own is nobody's remote cluster", () => {
  const inside = { cluster: "east", trustDomain: "cluster.local", listen: "10.244.255.1:15012" };
  assert.throws(() => remoteClusterDocument(inside), NoRemoteClusterError);
});
