import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { enforcementNotices, noticesBeside, unenforcedIssues } from "./unenforced-resources.ts";

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

const custom = document(
  "security.istio.io/v1",
  "AuthorizationPolicy",
  "{action: CUSTOM, provider: {name: a}, rules: [{}]}",
);
const provider = (fields: string): string => `---\nextensionProviders: [{name: a, ${fields}}]\n`;
const told: [name: string, yaml: string, message: RegExp | undefined][] = [
  [
    "AP-120 nobody of that name",
    custom,
    /authorizer "a", and extensionProviders .* does not define it \(/,
  ],
  [
    "AP-120 not an authorizer",
    custom + provider("zipkin: {service: a.b, port: 1}"),
    /it is of kind zipkin, which authorizes nothing \(/,
  ],
  [
    "AP-120 an authorizer",
    custom + provider("envoyExtAuthzGrpc: {service: a.b, port: 1}"),
    undefined,
  ],
  ["JWT-1 tokens are verified", tokens(`{${RULES}}`), undefined],
  [
    "JWT-2 tokens of a gateway",
    tokens(`{targetRefs: [{kind: Service, name: s}], ${RULES}}`),
    undefined,
  ],
  ["JWT-1 no token at all", tokens("{}"), undefined],
  ["AP-1 another action", custom.replace("CUSTOM, provider: {name: a}", "DENY"), undefined],
];
for (const [name, yaml, message] of told) {
  test(`${name}: ${message === undefined ? "nothing" : "it"} is told`, () => {
    const [notice, ...more] = enforcementNotices(read(yaml));
    assert.deepEqual(more, []);
    if (message === undefined) assert.equal(notice, undefined);
    else assert.match(notice?.message ?? "", message);
  });
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
