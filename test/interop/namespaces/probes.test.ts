/** Probes where pods have networks of their own, under STRICT and a policy that lets nobody in. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { until } from "../../kit/until.ts";

/** One caller outside the mesh, one within it. */
const CALLERS = ["shop", "legacy"]
  .map(
    (namespace) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: caller, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: caller}}
  template:
    metadata: {labels: {app: caller}}
    spec: {containers: [{name: agent, image: serve}]}
`,
  )
  .join("---");

/** A port that no container declares is the pod's all the same. */
const UNDECLARED = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: undeclared, namespace: shop}
spec:
  selector: {matchLabels: {app: undeclared}}
  template:
    metadata: {labels: {app: undeclared}}
    spec:
      containers:
      - name: http
        command: [node, app.mjs, http, "8088"]
        readinessProbe: {httpGet: {path: /moved, port: 8088}, periodSeconds: 1, failureThreshold: 60}
`;

/** Of Istio's agent, which is not there. */
const AGENT_PORTS = [15_020, 15_021];
const ASK = `
const [address, port, path] = process.argv.slice(1);
require("node:http")
  .get({ host: address, port, path, agent: false }, (response) => console.log(response.statusCode))
  .on("error", ({ code }) => console.log(code));
`;

describe("probes in namespaces", { skip: namespacesMissing() }, () => {
  let mesh: MeshInNamespaces;

  before(async () => {
    mesh = await MeshInNamespaces.start({
      folders: ["test/meshes/agents", "test/meshes/probes"],
      texts: { "callers.yaml": CALLERS, "undeclared.yaml": UNDECLARED },
    });
  });
  after(() => mesh?.remove());

  /** `container: ready`, or what is wrong. */
  async function readiness(owner: string): Promise<Readonly<Record<string, string>>> {
    const { pods } = await mesh.status();
    const pod = pods.find((each) => each.owner === owner && each.namespace === "shop");
    return Object.fromEntries(
      (pod?.containers ?? []).map(({ name, readiness: ready, problem }) => [
        name,
        ready === "ready" ? ready : (problem ?? ""),
      ]),
    );
  }

  test("INJ-27 every kind is well", async () => {
    const well = { http: "ready", grpc: "ready", tcp: "ready", exec: "ready" };
    await until("all to be ready", async () =>
      Object.values(await readiness("api")).every((said) => said === "ready"),
    );
    assert.deepEqual(await readiness("api"), well);
  });

  test("a port that nobody declared can be probed", async () => {
    await until("it to be ready", async () => (await readiness("undeclared"))["http"] === "ready");
  });

  test("INJ-27 not rewritten, HTTP and gRPC are refused, and the sidecar accepts TCP", async () => {
    const told = await until("two of three to be ill", async () => {
      const { http, grpc, tcp } = await readiness("exposed");
      const areIll = [http, grpc].every((said) => said !== "" && said !== "ready");
      return areIll && tcp === "ready" && { http, grpc };
    });
    assert.match(told.http ?? "", /ECONNRESET|hang up/);
    assert.match(told.grpc ?? "", /./);
  });

  test("INJ-27 nobody else gets in by the way of probes", async () => {
    for (const caller of ["legacy/caller-0", "shop/caller-0"]) {
      for (const address of Object.values(await mesh.addresses("shop/api-0"))) {
        for (const port of [8080, ...AGENT_PORTS]) {
          for (const path of ["/ready?really", "/app-health/http/readyz"]) {
            const asked = ["node", "-e", ASK, address, String(port), path];
            const { output } = await mesh.agent(caller).run(...asked);
            assert.match(output, /^(403|50[23]|E[A-Z]+)$/m, `${caller} to ${address}:${port}`);
          }
        }
      }
    }
  });
});
