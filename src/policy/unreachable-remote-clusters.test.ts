import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { unreachableRemoteClusters } from "./unreachable-remote-clusters.ts";

const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: hauberk.dev/v1
kind: RemoteCluster
metadata: {name: east}
spec: {server: "127.0.0.1:20001"}
`;

test("each RemoteCluster is an issue where it was written, with the next step; nothing else is", () => {
  const { resources } = parseResources(MESH, "mesh.yaml");
  const [issue, ...others] = unreachableRemoteClusters(resources);
  assert.deepEqual(others, []);
  assert.deepEqual(issue?.source, { file: "mesh.yaml", line: 5 });
  assert.match(issue?.problem ?? "", /^RemoteCluster east .* --network loopback$/);
});
