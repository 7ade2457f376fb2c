import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseResources } from "../../api/parse-resources.ts";
import { type RegoAuthorizer, regoAuthorizers } from "./rego-authorizers.ts";

const ARTICLE = readFileSync("examples/seeds/13-opa.yaml", "utf8");
const images = (rest: string): string => `
---
apiVersion: hauberk.dev/v1
kind: ImageCommands
metadata: {name: images}
spec: {images: [{image: "openpolicyagent/opa:*-envoy", command: [opa]${rest}}]}
`;

function authorizersIn(yaml: string): readonly RegoAuthorizer[] {
  const { resources, issues } = parseResources(yaml, "mesh.yaml");
  assert.deepEqual(issues, []);
  return regoAuthorizers(resources);
}

test("the article's authorizer, with its policy and the rule that answers", () => {
  const [opa, ...others] = authorizersIn(ARTICLE);
  assert.deepEqual(others, []);
  assert.equal(opa?.title, "Deployment istio-system/opa-authorizer");
  assert.deepEqual([opa?.decision, opa?.dialect], ["data.istio.authz.allow", "v1"]);
  assert.deepEqual(
    opa?.files.map(({ name, configMap }) => [name, configMap]),
    [["policy.rego", "ConfigMap istio-system/opa-policies"]],
  );
});

test("Rego of before OPA 1.0 is told by a flag, or by a variable of the image or the container", () => {
  const variable = "{name: OPA_RUN_V0_COMPATIBLE, value: 'true'}";
  const rows = [
    ARTICLE + images(`, env: [${variable}]`),
    ARTICLE.replace("        args:", `        env: [${variable}]\n        args:`) + images(""),
    ARTICLE.replace('- "run"', '- "run"\n        - "--v0-compatible"'),
  ];
  for (const yaml of rows) assert.equal(authorizersIn(yaml)[0]?.dialect, "v0");
  assert.equal(authorizersIn(ARTICLE + images(""))[0]?.dialect, "v1");
});

test("the rule that answers: as a query, or the plugin's own where none is named", () => {
  const path = /plugins\.envoy_ext_authz_grpc\.path=istio\/authz\/allow/;
  const asked = (text: string) => authorizersIn(ARTICLE.replace(path, text))[0]?.decision;
  assert.equal(asked("plugins.envoy_ext_authz_grpc.query=data.a.b"), "data.a.b");
  assert.equal(asked("plugins.envoy_ext_authz_grpc.path=/a/b"), "data.a.b");
  assert.equal(asked("status.console=true"), "data.envoy.authz.allow");
});

test("whatever else a mesh runs is none, nor is one without a policy in a ConfigMap", () => {
  const other = ARTICLE.replace("openpolicyagent/opa:latest-envoy", "example.com/opal:1");
  assert.deepEqual(authorizersIn(other), []);
  assert.equal(
    authorizersIn(other + images("").replace("openpolicyagent/opa:*-envoy", "*")).length,
    1,
  );
  const unmounted = ARTICLE.replace("          name: opa-policies", "          name: others");
  assert.deepEqual(authorizersIn(unmounted), []);
});
