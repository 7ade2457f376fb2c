import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../../../api/parse-resources.ts";
import { planWorkloads } from "../../../policy/plan-workloads.ts";
import { adminQuestion, type Command, withEndpoints } from "./sidecar-command.ts";

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 8080, targetPort: web}, {name: old, port: 80, targetPort: 9}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: api, command: [api], ports: [{name: web, containerPort: 7}]}]}
`;
const { resources } = parseResources(MESH, "mesh.yaml");
const workloads = planWorkloads(resources, {
  uid: (key) => key,
  place: (key) => ({ address: "127.0.0.1", port: key.endsWith("/7") ? 25_007 : 25_009 }),
});

const WORDS: readonly (readonly [word: string, namespace: string, expected: string])[] = [
  ["api.shop:8080", "other", "127.0.0.1:25007"],
  ["api.shop.svc:8080", "other", "127.0.0.1:25007"],
  ["api.shop.svc.cluster.local:8080", "other", "127.0.0.1:25007"],
  ["api:8080", "shop", "127.0.0.1:25007"],
  ["http://api.shop:8080/x?y=1", "other", "http://127.0.0.1:25007/x?y=1"],
  ["http://api.shop/x", "other", "http://127.0.0.1:25009/x"],
  ["api:8080", "other", "api:8080"],
  ["api.shop", "other", "api.shop"],
  ["api.shop:8081", "other", "api.shop:8081"],
  ["https://api.shop/", "other", "https://api.shop/"],
  ["example.com:8080", "other", "example.com:8080"],
  ["-servername=api.shop:8080", "other", "-servername=api.shop:8080"],
];
for (const [word, namespace, expected] of WORDS) {
  test(`${word} from ${namespace} is ${expected}`, () => {
    const { command, replaced } = withEndpoints(["curl", word], {
      namespace,
      resources,
      workloads,
    });
    assert.deepEqual(command, ["curl", expected]);
    assert.equal(replaced.length, word === expected ? 0 : 1);
  });
}

test("a service without an endpoint that is ready stays as it is written", () => {
  const none = workloads.map((workload) => ({ ...workload, ready: false }));
  const { command } = withEndpoints(["nc", "api.shop:8080"], {
    namespace: "shop",
    resources,
    workloads: none,
  });
  assert.deepEqual(command, ["nc", "api.shop:8080"]);
});

const QUESTIONS: readonly (readonly [command: string, asked: string | undefined])[] = [
  ["pilot-agent request GET config_dump", "GET /config_dump"],
  ["pilot-agent request POST logging?level=debug", "POST /logging?level=debug"],
  ["pilot-agent request GET /stats/prometheus", "GET /stats"],
  ["pilot-agent request DELETE x", undefined],
  ["pilot-agent version", undefined],
  ["curl localhost:15000/certs", "GET /certs"],
  ["curl -s http://127.0.0.1:15020/metrics", "GET /stats"],
  ["curl -sS -X POST http://localhost:15000/drain", "POST /drain"],
  ["curl -XPOST localhost:15000/drain", "POST /drain"],
  ["curl localhost:15021/healthz/ready", "GET /ready"],
  ["curl -o /dev/null localhost:15000/ready", undefined],
  ["curl localhost:8080/ready", undefined],
  ["wget localhost:15000/ready", undefined],
];
for (const [command, asked] of QUESTIONS) {
  test(`${command} ${asked === undefined ? "is run" : `asks the sidecar: ${asked}`}`, () => {
    const [program = "", ...rest] = command.split(" ");
    const found = adminQuestion([program, ...rest] satisfies Command);
    assert.equal(found && `${found.method} ${found.path}`, asked);
  });
}
