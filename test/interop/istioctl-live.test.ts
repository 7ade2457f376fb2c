/** analyze, audit and proxy-status of a mesh that runs: they ask the mesh, not the files. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type CommandResult, runHauberk } from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: api, namespace: shop}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      serviceAccountName: api
      containers:
      - {name: app, image: sh, command: [sh, -c, "sleep 3600"], ports: [{containerPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
`;
const route = (host: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pay, namespace: bank}
spec:
  hosts: [pay]
  http:
  - route:
    - destination: {host: ${host}}
`;

let folder: string;
let mesh: RunningMesh;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-live-"));
  await writeFile(join(folder, "mesh.yaml"), MESH);
  await writeFile(join(folder, "route.yaml"), route("nobody"));
  mesh = await runMesh([folder]);
});
after(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

const ask = (command: string, ...parameters: readonly string[]): Promise<CommandResult> =>
  runHauberk([command, "--data", mesh.data, ...parameters]);

test("analyze tells what is odd in force, of one namespace where it is asked so", async () => {
  const odd = /^Error \[IST0101\] \(VirtualService bank\/pay .*route\.yaml:8\)/m;
  for (const [parameters, isTold] of [
    [[], true],
    [["-A"], true],
    [["-n", "bank"], true],
    [["-n", "shop"], false],
  ] as const) {
    const { code, output, errors } = await ask("analyze", ...parameters);
    assert.equal(odd.test(output), isTold, `${parameters}: ${output}${errors}`);
    assert.equal(code, isTold ? 1 : 0, `${parameters}: ${output}${errors}`);
  }
});

test("analyze hears of a change once it is in force", async () => {
  await writeFile(join(folder, "route.yaml"), route("api.shop.svc.cluster.local"));
  await until("nothing odd", async () => !(await ask("analyze")).output.includes("IST0101"));
});

test("audit judges what runs: with what the control plane says of certificates", async () => {
  const { output } = await ask("audit", "-o", "json");
  const { practices } = JSON.parse(output) as {
    practices: readonly { id: string; verdict: string; evidence: readonly string[] }[];
  };
  assert.equal(practices.length, 17);
  const of = (id: string): string | undefined => practices.find((one) => one.id === id)?.verdict;
  assert.equal(of("strict-mutual-tls"), "met", output);
  const files = await runHauberk(["audit", folder, "-o", "json"]);
  const unknown = (text: string): number => text.split('"cannot tell"').length;
  assert.ok(unknown(output) < unknown(files.output), "a mesh that runs can tell more");
});

test("proxy-status of a pod compares what was sent with what it has", async () => {
  const said = await until("a match", async () => {
    const { output } = await ask("proxy-status", "api-0.shop");
    return output.includes("Listeners Match") && output;
  });
  assert.match(said, /^api-0\.shop .* SYNCED /m);
  assert.match(said, /^Clusters Match\nListeners Match\nRoutes Match$/m);
  assert.doesNotMatch((await ask("proxy-status")).output, /Match/);
  const none = await ask("proxy-status", "nobody.shop");
  assert.notEqual(none.code, 0);
});
