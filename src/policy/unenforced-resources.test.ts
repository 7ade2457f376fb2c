import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { noticesBeside, unenforcedIssues } from "./unenforced-resources.ts";

function read(yaml: string) {
  const { resources, issues } = parseResources(yaml, "mesh.yaml");
  assert.deepEqual(issues, []);
  return resources;
}
const document = (apiVersion: string, kind: string, spec: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x, namespace: shop}\nspec: ${spec}\n`;

const tokens = (spec: string): string =>
  document("security.istio.io/v1", "RequestAuthentication", spec);
const RULES = "jwtRules: [{issuer: i}]";

const refused: [name: string, yaml: string, kind: string][] = [
  [
    "a filter that nobody runs",
    document("extensions.istio.io/v1alpha1", "WasmPlugin", "{url: 'oci://a/b'}"),
    "WasmPlugin",
  ],
  [
    "a patch that nobody applies",
    document("networking.istio.io/v1alpha3", "EnvoyFilter", "{configPatches: []}"),
    "EnvoyFilter",
  ],
  [
    "limits that nobody keeps",
    document("networking.istio.io/v1", "Sidecar", "{egress: [{hosts: ['./*']}]}"),
    "Sidecar",
  ],
];
for (const [name, yaml, kind] of refused) {
  test(`${name}: a mesh with it does not run`, () => {
    const [issue, ...more] = unenforcedIssues(read(`# a comment\n${yaml}`));
    assert.deepEqual(more, []);
    assert.equal(issue?.source.line, 2);
    assert.match(issue.problem, new RegExp(`^${kind} shop/x cannot be enforced: .*; take it out`));
  });
}

const run: [name: string, yaml: string][] = [
  ["JWT-2 it is a gateway's", tokens(`{targetRefs: [{kind: Service, name: s}], ${RULES}}`)],
  ["JWT-1 without rules it does nothing", tokens("{}")],
  ["JWT-1 tokens are verified", tokens(`{${RULES}}`)],
  [
    "it only says where calls go",
    document(
      "networking.istio.io/v1",
      "VirtualService",
      "{hosts: [a], http: [{route: [{destination: {host: a}}]}]}",
    ),
  ],
  ["it only tells", document("telemetry.istio.io/v1", "Telemetry", "{}")],
  [
    "AP-120 it is refused by the sidecar",
    document(
      "security.istio.io/v1",
      "AuthorizationPolicy",
      "{action: CUSTOM, provider: {name: a}, rules: [{}]}",
    ),
  ],
];
for (const [name, yaml] of run) {
  test(`${name}: a mesh with it runs`, () => assert.deepEqual(unenforcedIssues(read(yaml)), []));
}

test("what stops a mesh is told once, as an issue; what else is noticed there stays", () => {
  const filter = document("extensions.istio.io/v1alpha1", "WasmPlugin", "{url: 'oci://a/b'}");
  const issues = unenforcedIssues(read(filter));
  const [issue] = issues;
  assert.ok(issue);
  const notice = { source: issue.source, path: issue.path, message: "has no effect" };
  const other = { ...notice, path: "spec.url" };
  assert.deepEqual(noticesBeside([notice, other], issues), [other]);
  assert.deepEqual(noticesBeside([notice], []), [notice]);
});
