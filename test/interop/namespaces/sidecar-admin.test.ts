/** A sidecar's administration where pods have namespaces of their own: for whoever runs the mesh, and never for the pod. */
import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "../../kit/eventually.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";

const WEB = `apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
    spec:
      serviceAccountName: web
      containers: [{name: web, image: serve}]
`;
/** Longer than a socket's address. */
const DATA = join("deep", "data-".repeat(20), "mesh");

let mesh: MeshInNamespaces;

describe("the administration of a sidecar in a pod of its own", {
  skip: namespacesMissing(),
}, () => {
  before(
    async () => {
      mesh = await MeshInNamespaces.start({
        folders: ["test/meshes/agents"],
        texts: { "web.yaml": WEB },
        data: DATA,
      });
    },
    { timeout: 140_000 },
  );
  after(() => mesh?.remove());

  const folder = (): string => join(mesh.data, "pods", "shop", "web-0", "admin");

  test("whoever runs the mesh asks it, however deep its folder is", async () => {
    assert.ok(folder().length > 107);
    assert.match(await mesh.ask("proxy-config", "secret", "web-0.shop"), /^default +Cert Chain/m);
    assert.match(
      await mesh.ask("proxy-config", "listeners", "web-0.shop"),
      /^0\.0\.0\.0,:: +15006 +Trans: tls;.*Addr: \*:8080 +Cluster: inbound\|8080\|\| +PERMISSIVE \(default\)$/m,
    );
    const level = await mesh.ask("proxy-config", "log", "web-0.shop", "--level", "debug");
    assert.equal(level, "level: debug\n");
  });

  test("socket and folder are the user's alone", async () => {
    assert.equal((await stat(folder())).mode & 0o777, 0o700);
    assert.equal((await stat(join(folder(), "admin.sock"))).mode & 0o777, 0o600);
  });

  test("the pod's own programs see no such socket, and the TCP port stays closed to them", async () => {
    const agent = mesh.agent("shop/web-0");
    const find = "find / -name admin.sock -not -path '/proc/*' 2>/dev/null; true";
    assert.equal((await agent.run("sh", "-c", find)).output, "");
    const program = `const { connect } = require("node:net");
      for (const path of process.argv.slice(1))
        connect(path).on("connect", () => console.log("open", path)).on("error", ({ code }) => console.log(code));`;
    const paths = ["admin.sock", "/proc/self/fd/9/admin.sock", "/proc/1/fd/9/admin.sock"];
    const { output } = await agent.run("node", "-e", program, ...paths);
    assert.match(output, /^(E\w+\n){3}$/);
    assert.equal(await agent.call("127.0.0.1", 15_000), "ECONNREFUSED");
  });

  test("the sidecar sees of the data directory its own socket alone, and no way up from there", {
    skip: process.getuid?.() !== 0 && "only root may look",
  }, async () => {
    const { processId } = await mesh.process("shop/web-0 sidecar");
    assert.deepEqual(await readdir(`/proc/${processId}/root${mesh.data}`), ["admin.sock"]);
    assert.deepEqual(await readdir(`/proc/${processId}/fd/9`), ["admin.sock"]);
    const above = await readdir(`/proc/${processId}/fd/9/..`);
    assert.deepEqual(above, await readdir(dirname(mesh.data)));
  });

  test("one that was killed is asked at the same place again", async () => {
    const first = await mesh.process("shop/web-0 sidecar");
    process.kill(first.processId, "SIGKILL");
    await eventually(
      "another sidecar",
      async () => (await mesh.process("shop/web-0 sidecar")).processId !== first.processId,
    );
    const level = (): Promise<string> => mesh.ask("proxy-config", "log", "web-0.shop");
    await eventually("an answer", async () => (await level()) === "level: info\n");
  });
});
