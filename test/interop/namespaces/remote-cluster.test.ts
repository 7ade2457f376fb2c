/** A mesh whose pods have networks of their own reaches no other: it says so, and nothing of it changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";

const NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
const REMOTE_CLUSTER = `apiVersion: hauberk.dev/v1
kind: RemoteCluster
metadata: {name: east}
spec: {server: "127.0.0.1:20001"}
`;
const REFUSED =
  /east\.yaml:1: error: .*RemoteCluster east cannot be reached: .* --network loopback/;
const skip = namespacesMissing();

test("a mesh with a RemoteCluster does not start in namespaces", { skip }, async () => {
  const texts = { "mesh.yaml": NAMESPACE, "east.yaml": REMOTE_CLUSTER };
  await assert.rejects(MeshInNamespaces.start({ texts }), REFUSED);
});

test("a RemoteCluster that comes while it runs is refused, with all that changed with it", {
  skip,
}, async (context) => {
  const mesh = await MeshInNamespaces.start({ texts: { "mesh.yaml": NAMESPACE } });
  context.after(() => mesh.remove());
  await assert.rejects(mesh.change("east.yaml", REMOTE_CLUSTER), REFUSED);
  assert.match((await mesh.status()).refusedChange ?? "", REFUSED);
  await mesh.change("east.yaml");
  assert.equal((await mesh.status()).refusedChange, undefined);
});
