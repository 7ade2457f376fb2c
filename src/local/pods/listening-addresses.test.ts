import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseResources } from "../../api/parse-resources.ts";
import { ofKind } from "../../policy/mesh-snapshot.ts";
import { listeningOnLoopback, writtenPorts } from "./listening-addresses.ts";

const rows: [text: string, expected: string][] = [
  ["--addr=0.0.0.0:8181", "--addr=127.0.0.1:8181"],
  ["--set=plugins.envoy_ext_authz_grpc.addr=0.0.0.0:9191", "=127.0.0.1:9191"],
  ["--listen=:9191", "--listen=127.0.0.1:9191"],
  [":9191", "127.0.0.1:9191"],
  ["[::]:9191", "127.0.0.1:9191"],
  [
    "--urls=http://0.0.0.0:8181,https://0.0.0.0:9191",
    "http://127.0.0.1:8181,https://127.0.0.1:9191",
  ],
  ["exec serve '0.0.0.0:8181' \"0.0.0.0:9191\"", "'127.0.0.1:8181' \"127.0.0.1:9191\""],
];
for (const [text, expected] of rows) {
  test(`${text}: the address is loopback's`, () => {
    const placed = listeningOnLoopback(text, [8181, 9191]);
    assert.ok(placed.includes(expected), placed);
    assert.doesNotMatch(placed, /0\.0\.0\.0|\[::\]/);
  });
}

const left = [
  "--addr=0.0.0.0:8282",
  "--addr=10.0.0.1:8181",
  "--addr=127.0.0.1:8181",
  "http://api:8181/",
  "0.0.0.0:8181.5",
  "10.0.0.0:8181",
  "--port=8181",
  "12:8181",
  "a::8181",
  "http://:8181/",
];
for (const text of left) {
  test(`${text} stays as it is`, () => {
    assert.equal(listeningOnLoopback(text, [8181, 9191]), text);
  });
}

test("the ports that the article's authorizer says it listens on", () => {
  const text = readFileSync("examples/seeds/13-opa.yaml", "utf8");
  const [deployment] = ofKind(parseResources(text, "13-opa.yaml").resources, "Deployment");
  const [opa] = deployment?.template.containers ?? [];
  assert.ok(opa);
  const image = { image: "*", command: ["opa"], args: [], env: [], source: opa.source };
  assert.deepEqual(writtenPorts(opa, [image]), [9191, 8181, 8282]);
  assert.deepEqual(writtenPorts(opa, []), [], "nothing is known to be run");
  assert.deepEqual(writtenPorts({ ...opa, ports: [] }, [image]), [], "no port is declared");
});

test("a variable says it as well, also one of the image; a program that goes by $(PORT) does not", () => {
  const yaml = (fields: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: api, ports: [{containerPort: 8080}], ${fields}}]}
`;
  const portsOf = (fields: string, value = "-"): readonly number[] => {
    const { resources, issues } = parseResources(yaml(fields), "mesh.yaml");
    assert.deepEqual(issues, []);
    const [container] = ofKind(resources, "Deployment")[0]?.template.containers ?? [];
    assert.ok(container);
    const { source } = container;
    const env = [{ name: "LISTEN", value }];
    return writtenPorts(container, [{ image: "api", command: ["api"], args: [], env, source }]);
  };
  assert.deepEqual(portsOf("env: [{name: LISTEN, value: '0.0.0.0:8080'}]"), [8080]);
  assert.deepEqual(portsOf("args: []", "0.0.0.0:8080"), [8080]);
  assert.deepEqual(portsOf("args: ['--listen=$(HOST):$(PORT)']"), []);
});
