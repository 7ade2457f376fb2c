/** The Workload API of a pod with namespaces of its own: in its files alone, and nothing beside it. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../kit/eventually.ts";
import { buildGoModule } from "../../kit/go-program.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { missingParts } from "../../kit/missing-parts.ts";

const PATH = "unix:///run/spiffe/workload-api.sock";
const CLIENT = ["./workload-api", "1"] as const;

function deployment(name: string, annotations: string): string {
  return `apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata:
      labels: {app: ${name}, sidecar.istio.io/inject: "true"}
      annotations: {${annotations}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: ${name}, image: serve}]
`;
}

let mesh: MeshInNamespaces;

describe("the Workload API in a pod of its own", {
  skip: missingParts("go") || namespacesMissing(),
}, () => {
  before(
    async () => {
      mesh = await MeshInNamespaces.start({
        folders: ["test/meshes/agents", await buildGoModule("test/interop/workload-api")],
        texts: {
          "web.yaml": deployment("web", 'hauberk.dev/workload-api: "true"'),
          "plain.yaml": deployment("plain", ""),
        },
      });
    },
    { timeout: 280_000 },
  );
  after(() => mesh?.remove());

  test("go-spiffe finds it by its environment, and gets certificate and token", async () => {
    const { code, output, errors } = await mesh.agent("shop/web-0").run(...CLIENT);
    assert.equal(code, 0, output + errors);
    assert.match(
      output,
      /"event":"certificate","id":"spiffe:\/\/cluster.local\/ns\/shop\/sa\/web"/,
    );
    assert.match(output, /"event":"token","id":"spiffe:\/\/cluster.local\/ns\/shop\/sa\/web"/);
  });

  test("the pod sees the socket, and nothing of the data directory around it", async () => {
    const agent = mesh.agent("shop/web-0");
    const { output } = await agent.run(
      "sh",
      "-c",
      "echo $SPIFFE_ENDPOINT_SOCKET; ls -A /run/spiffe",
    );
    assert.equal(output, `${PATH}\nworkload-api.sock\n`);
    const { output: seen } = await agent.run("sh", "-c", `ls -A ${mesh.data} 2>/dev/null; true`);
    assert.equal(seen, "");
    const { code } = await agent.run("sh", "-c", "rm -f /run/spiffe/workload-api.sock");
    assert.notEqual(code, 0);
  });

  test("a pod that does not ask for it has neither variable nor folder", async () => {
    const command = "echo [$SPIFFE_ENDPOINT_SOCKET]; ls /run/spiffe 2>/dev/null; true";
    const { output } = await mesh.agent("shop/plain-0").run("sh", "-c", command);
    assert.equal(output, "[]\n");
  });

  test("the sidecar sees of the data directory nothing but its sockets' folders", {
    skip: process.getuid?.() !== 0 && "only root may look",
  }, async () => {
    const seenBy = async (pod: string): Promise<readonly string[]> => {
      const { processId } = await mesh.process(`shop/${pod} sidecar`);
      return readdir(`/proc/${processId}/root${mesh.data}`);
    };
    assert.deepEqual(await seenBy("web-0"), ["workload-api.sock"]);
    assert.deepEqual(await seenBy("plain-0"), ["admin.sock"]);
  });

  test("a sidecar that was killed serves it again at the same place", async () => {
    const before = await mesh.process("shop/web-0 sidecar");
    process.kill(before.processId, "SIGKILL");
    await eventually(
      "another sidecar",
      async () => (await mesh.process("shop/web-0 sidecar")).processId !== before.processId,
    );
    const { code, output, errors } = await mesh.agent("shop/web-0").run(...CLIENT);
    assert.equal(code, 0, output + errors);
  });
});
