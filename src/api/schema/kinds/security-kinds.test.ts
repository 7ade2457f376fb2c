import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaFaults } from "../../../../test/kit/schema-faults.ts";

const rich: { readonly [kind: string]: string } = {
  PeerAuthentication: `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api, tier: ""}}
  mtls: {mode: STRICT}
  portLevelMtls:
    8080: {mode: PERMISSIVE}
    "9090": {mode: DISABLE}
    9091: {}
`,
  AuthorizationPolicy: `apiVersion: security.istio.io/v1beta1
kind: AuthorizationPolicy
metadata: {name: api, namespace: shop}
spec:
  action: CUSTOM
  provider: {name: opa}
  selector: {matchLabels: {app: api}}
  rules:
  - from:
    - source:
        principals: ["cluster.local/ns/shop/sa/web"]
        notPrincipals: ["*/sa/bad"]
        requestPrincipals: ["*"]
        notRequestPrincipals: ["a/b"]
        namespaces: [shop]
        notNamespaces: [old]
        ipBlocks: [10.0.0.0/8]
        notIpBlocks: [10.1.0.0/16]
        remoteIpBlocks: ["fd00::/8"]
        notRemoteIpBlocks: [1.2.3.4]
        trustDomains: [cluster.local]
        notTrustDomains: [old.local]
    - source: {serviceAccounts: [shop/web], notServiceAccounts: [bad]}
    to:
    - operation:
        hosts: [api.shop]
        notHosts: ["*.old"]
        ports: ["80"]
        notPorts: ["81"]
        methods: [GET]
        notMethods: [DELETE]
        paths: [/a, "/b/{*}"]
        notPaths: [/admin*]
    when:
    - {key: "request.headers[x-a]", values: [b], notValues: [c]}
`,
  RequestAuthentication: `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: api, namespace: shop}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: front}]
  jwtRules:
  - issuer: https://login.example.com
    audiences: [api]
    jwksUri: https://login.example.com/keys
    fromHeaders: [{name: x-token, prefix: "Bearer "}]
    fromParams: [token]
    fromCookies: [session]
    outputPayloadToHeader: x-payload
    outputClaimToHeaders: [{header: x-user, claim: sub}]
    forwardOriginalToken: true
    timeout: 5s
    presence: REQUIRED
    spaceDelimitedClaims: [groups]
  - {issuer: b, jwks: '{"keys": []}', forwardOriginalToken: false}
`,
  Telemetry: `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: mesh, namespace: istio-system}
spec:
  selector: {matchLabels: {app: api}}
  tracing:
  - match: {mode: CLIENT}
    providers: [{name: zipkin}]
    randomSamplingPercentage: 12.5
    disableSpanReporting: false
    useRequestIdForTraceSampling: null
    customTags:
      a: {literal: {value: b}}
      c: {environment: {name: C, defaultValue: d}}
      e: {header: {name: e}}
  metrics:
  - providers: [{name: prometheus}]
    reportingInterval: 10s
    overrides:
    - match: {metric: REQUEST_COUNT, mode: SERVER}
      disabled: true
      tagOverrides:
        x: {operation: UPSERT, value: request.host}
        z: {operation: REMOVE}
    - match: {customMetric: mine}
  accessLogging:
  - match: {mode: CLIENT_AND_SERVER}
    providers: [{name: envoy}]
    disabled: false
    filter: {expression: response.code >= 400}
`,
};

for (const [kind, yaml] of Object.entries(rich)) {
  test(`${kind}: all its fields at once`, () => assert.deepEqual(schemaFaults(yaml), []));
}

const faulty: [kind: string, spec: string, faults: string[]][] = [
  [
    "PeerAuthentication",
    "mtls: {mode: STRCT}\nportLevelMtls: {}",
    [
      'spec.mtls.mode is "STRCT"; expected one of UNSET, DISABLE, PERMISSIVE, STRICT',
      "spec.portLevelMtls must have at least one entry",
    ],
  ],
  [
    "PeerAuthentication",
    "portLevelMtls: {80: {mode: STRICT}, http: {}}",
    [
      "spec.portLevelMtls.http is not a port: expected a number from 1 to 65535",
      "spec.portLevelMtls needs a selector with labels: a policy of a mesh or namespace cannot have it",
    ],
  ],
  [
    "AuthorizationPolicy",
    "rules: [{form: []}]\naction: BLOCK",
    [
      "spec.rules[0].form is not a known field; did you mean from?",
      'spec.action is "BLOCK"; expected one of ALLOW, DENY, AUDIT, CUSTOM',
    ],
  ],
  [
    "AuthorizationPolicy",
    "rules: [{to: [{operation: {ports: [80]}}], when: [{values: [a]}]}]",
    [
      'spec.rules[0].to[0].operation.ports[0] is the number 80; expected text: write "80"',
      "spec.rules[0].when[0].key is missing",
    ],
  ],
  [
    "RequestAuthentication",
    "jwtRules: [{issuer: '', timeout: soon, jwks: a, jwksUri: ftp://a}]",
    [
      "spec.jwtRules[0].issuer must not be empty",
      'spec.jwtRules[0].timeout is "soon"; expected a duration of at least 1ms, such as 5s or 1m30s',
      'spec.jwtRules[0].jwksUri is "ftp://a"; expected a URL that begins with http:// or https://',
    ],
  ],
  [
    "RequestAuthentication",
    "jwtRules: [{issuer: a, jwks: a, jwksUri: http://a}]",
    ["spec.jwtRules[0].jwks must not be given together with another of jwks, jwksUri"],
  ],
  [
    "Telemetry",
    "metrics: [{overrides: [{match: {metric: REQUEST_COUNT, customMetric: a}}]}]",
    [
      "spec.metrics[0].overrides[0].match.customMetric must not be given together with metric: only one of metric, customMetric",
    ],
  ],
  [
    "Telemetry",
    "tracing: [{randomSamplingPercentage: 101}]",
    ["spec.tracing[0].randomSamplingPercentage is the number 101; expected a number from 0 to 100"],
  ],
];
for (const [kind, spec, faults] of faulty) {
  test(`${kind}: ${JSON.stringify(spec)} is refused`, () => {
    const group = kind === "Telemetry" ? "telemetry" : "security";
    const indented = spec.replaceAll("\n", "\n  ");
    const yaml = `apiVersion: ${group}.istio.io/v1\nkind: ${kind}\nmetadata: {name: a}\nspec:\n  ${indented}\n`;
    assert.deepEqual(schemaFaults(yaml), faults);
  });
}

test("a spec of null is none, as API servers have it", () => {
  const yaml =
    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec:\n";
  assert.deepEqual(schemaFaults(yaml), []);
});
