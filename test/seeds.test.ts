/** Keeps a promise: what people write for Istio is accepted as it is, or refused by name. A change of either is seen here. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseResources } from "../src/api/parse-resources.ts";
import { formatRef } from "../src/api/resource.ts";
import { unenforcedIssues } from "../src/policy/unenforced-resources.ts";

const FOLDER = "examples/seeds";

/** For each document, the resource it gives. */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  "01-peer-authentication-mesh.yaml": ["PeerAuthentication istio-system/default"],
  "02-peer-authentication-namespace.yaml": ["PeerAuthentication payments/default"],
  "03-peer-authentication-workload.yaml": ["PeerAuthentication data/mysql-permissive"],
  "04-peer-authentication-port-level.yaml": ["PeerAuthentication production/api-service"],
  "05-deny-all.yaml": ["AuthorizationPolicy production/deny-all"],
  "06-allow-frontend-to-api.yaml": ["AuthorizationPolicy production/allow-frontend-to-api"],
  "07-allow-monitoring-by-namespace.yaml": ["AuthorizationPolicy production/allow-monitoring"],
  "08-deny-compromised.yaml": ["AuthorizationPolicy production/block-compromised"],
  "09-complex-rules.yaml": ["AuthorizationPolicy production/api-access"],
  "10-production-pattern.yaml": [
    "AuthorizationPolicy production/deny-all",
    "AuthorizationPolicy production/allow-ingress-to-frontend",
    "AuthorizationPolicy production/allow-frontend-to-api",
    "AuthorizationPolicy production/allow-api-to-db",
    "AuthorizationPolicy production/allow-monitoring",
  ],
  "11-request-authentication.yaml": ["RequestAuthentication production/jwt-auth"],
  "12-require-jwt-by-role.yaml": ["AuthorizationPolicy production/require-jwt"],
  "13-opa.yaml": [
    "Deployment istio-system/opa-authorizer",
    "Service istio-system/opa-authorizer",
    "ConfigMap istio-system/opa-policies",
  ],
  "14-mesh-config-extension-provider.yaml": ["MeshConfig istio"],
  "15-opa-custom-policy.yaml": ["AuthorizationPolicy production/opa-ext-auth"],
  "16-destination-rule-disable.yaml": ["DestinationRule production/external-database"],
  "17-v1beta1-strict.yaml": ["PeerAuthentication istio-system/default"],
  "18-v1beta1-api-access.yaml": ["AuthorizationPolicy production/api-access"],
  "19-v1beta1-jwt-deny-without-token.yaml": [
    "RequestAuthentication production/jwt-auth",
    "AuthorizationPolicy production/require-jwt",
  ],
  "20-network-policy.yaml": ["NetworkPolicy production/api-network-policy"],
  "21-telemetry.yaml": ["Telemetry istio-system/security-logging"],
};

/** What is accepted without effect has to be told. */
const NOTICES: Readonly<Record<string, readonly RegExp[]>> = {
  "15-opa-custom-policy.yaml": [/has HTTP conditions, which are ignored on TCP ports/],
  "19-v1beta1-jwt-deny-without-token.yaml": [/denies all traffic on TCP ports/],
};

test("every seed has an outcome here, and every outcome a seed", () => {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml"));
  assert.deepEqual(files.sort(), Object.keys(OUTCOMES).sort());
});

for (const [file, outcomes] of Object.entries(OUTCOMES)) {
  const text = readFileSync(`${FOLDER}/${file}`, "utf8");
  const documents = text.split(/^---$/m);
  test(`${file} gives ${outcomes.join(", ")}`, () => {
    assert.deepEqual(
      documents.map((document) => outcomeOf(document, file)),
      outcomes,
    );
    const { issues, resources } = parseResources(text, file);
    assert.deepEqual(issues, []);
    assert.deepEqual(unenforcedIssues(resources), []);
  });
  test(`${file} says what has no effect`, () => {
    const { notices } = parseResources(text, file);
    const expected = NOTICES[file] ?? [];
    assert.equal(notices.length, expected.length, JSON.stringify(notices));
    for (const [index, notice] of notices.entries()) {
      assert.match(notice.message, expected[index] ?? /^$/);
    }
  });
}

function outcomeOf(document: string, file: string): string {
  const { resources, issues } = parseResources(document, file);
  const [resource] = resources;
  if (resource === undefined) return issues.map(({ problem }) => problem).join("; ");
  return formatRef({ kind: resource.kind, ...resource.meta });
}

test("the article's authorizer comes with its arguments, files and probes", () => {
  const text = readFileSync(`${FOLDER}/13-opa.yaml`, "utf8");
  const [deployment, , policies] = parseResources(text, "13-opa.yaml").resources;
  assert.ok(deployment?.kind === "Deployment" && policies?.kind === "ConfigMap");
  const { volumes, containers } = deployment.template;
  assert.deepEqual(
    volumes.map((volume) => [
      volume.name,
      volume.kind,
      "resourceName" in volume && volume.resourceName,
    ]),
    [["policies", "configMap", policies.meta.name]],
  );
  const [opa] = containers;
  assert.deepEqual(opa?.volumeMounts, [
    { name: "policies", mountPath: "/policies", readOnly: false },
  ]);
  assert.equal(opa?.args.length, 8);
  for (const probe of [opa?.livenessProbe, opa?.readinessProbe]) {
    const check = {
      kind: "httpGet",
      scheme: "HTTP",
      path: "/health?plugins",
      port: 8282,
      headers: [],
    };
    assert.deepEqual(probe?.check, check);
    assert.equal(probe?.initialDelaySeconds, 5);
  }
  assert.match(policies.data.get("policy.rego") ?? "", /^package istio\.authz\n/);
});
