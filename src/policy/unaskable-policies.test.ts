import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { unaskablePolicies } from "./unaskable-policies.ts";

function policy(provider: string, annotations = "{}"): string {
  return `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop, annotations: ${annotations}}
spec: {action: CUSTOM, provider: {name: ${provider}}, rules: [{}]}
`;
}
const MESH = `
extensionProviders:
- name: opa
  envoyExtAuthzGrpc: {service: opa.authz.svc.cluster.local, port: 9191}
`;
const SERVICE = `---
apiVersion: v1
kind: Service
metadata: {name: opa, namespace: authz}
spec: {ports: [{port: 9191}]}
`;
const ON_TRIAL = '{hauberk.dev/dry-run: "true"}';
const NOBODY =
  /names the authorizer "oap", .* \(defined are: opa \(mesh\.yaml:\d+\)\): what this policy matches is refused$/;
const NO_SERVICE = /is none of the mesh: what this policy matches is refused$/;

const rows: readonly (readonly [what: string, yaml: string, told: readonly RegExp[]])[] = [
  ["one that can be asked", SERVICE + policy("opa"), []],
  ["one that nobody defines", SERVICE + policy("oap"), [NOBODY]],
  ["one whose service is not there", policy("opa"), [NO_SERVICE]],
  ["on trial", policy("oap", ON_TRIAL), []],
];
for (const [what, yaml, told] of rows) {
  test(`AP-120, EA-30: ${what}`, () => {
    const { resources, issues } = parseResources(MESH + yaml, "mesh.yaml");
    assert.deepEqual(issues, []);
    const found = unaskablePolicies(resources);
    assert.equal(found.length, told.length);
    for (const [index, expected] of told.entries()) assert.match(found[index] ?? "", expected);
  });
}
