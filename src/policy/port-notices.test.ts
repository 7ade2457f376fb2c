import assert from "node:assert/strict";
import { test } from "node:test";
import { resourcesOf } from "../../test/kit/mesh-parts.ts";
import { meshNotices } from "./mesh-notices.ts";
import { planWorkloads } from "./plan-workloads.ts";

/** @param ports of its container; "none" declared */
const workload = (name: string, ports: string, namespace = "shop"): string => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: a, image: x${ports === "none" ? "" : `, ports: [${ports}]`}}]}
`;
const service = (name: string, port: string): string => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{name: http, ${port}}]}
`;
const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
${workload("cart", "{containerPort: 8080, name: web}, {containerPort: 9090}")}${service("cart", "port: 80, targetPort: web")}`;

const CART = "selector: {matchLabels: {app: cart}}, ";
const authorization = (rule: string, selector = CART, namespace = "shop"): string => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: ${namespace}}
spec: {${selector}action: DENY, rules: [${rule}]}
`;
const ports = (field: string, ...values: number[]): string =>
  `{to: [{operation: {${field}: ["${values.join('", "')}"]}}]}`;
const portModes = (port: number): string => `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: p, namespace: shop}
spec: {${CART}mtls: {mode: STRICT}, portLevelMtls: {${port}: {mode: PERMISSIVE}}}
`;

function noticesOn(yaml: string): string[] {
  const resources = resourcesOf(yaml);
  const place = () => ({ address: "127.0.0.1", port: 1 });
  const workloads = planWorkloads(resources, { place, uid: (key) => key });
  return meshNotices(resources, workloads).map(({ path, message }) => `${path} ${message}`);
}

const MEANT = "policies name container ports, not those of Services";
const told: [what: string, yaml: string, notice: string][] = [
  [
    "AP-56 a Service's port in ports",
    authorization(ports("ports", 8080, 80)),
    `spec.rules[0].to[0].operation.ports[1] "80" is no container port of what this policy selects, so it matches no declared port; ${MEANT} (AP-56); did you mean 8080?`,
  ],
  [
    "AP-56 one in notPorts, that no Service has",
    authorization(ports("notPorts", 81)),
    `spec.rules[0].to[0].operation.notPorts[0] "81" is no container port of what this policy selects, so it excludes no declared port; ${MEANT} (AP-56); there: 8080, 9090`,
  ],
  [
    "AP-93 one in a condition",
    authorization(`{when: [{key: destination.port, values: ["80"]}]}`),
    `spec.rules[0].when[0].values[0] "80" is no container port of what this policy selects, so it matches no declared port; ${MEANT} (AP-56); did you mean 8080?`,
  ],
  [
    "AP-56 a policy without a selector: all workloads of its namespace",
    authorization(ports("ports", 80), ""),
    `spec.rules[0].to[0].operation.ports[0] "80" is no container port of what this policy selects, so it matches no declared port; ${MEANT} (AP-56); did you mean 8080?`,
  ],
  [
    "AP-11 a policy of the root namespace: all workloads",
    authorization(ports("ports", 80), "", "istio-system"),
    `spec.rules[0].to[0].operation.ports[0] "80" is no container port of what this policy selects, so it matches no declared port; ${MEANT} (AP-56); did you mean 8080?`,
  ],
  [
    "PA-16 a Service's port in portLevelMtls",
    portModes(80),
    `spec.portLevelMtls.80 is no container port of what this policy selects, so its mode is in force on no declared port; ${MEANT} (PA-16); did you mean 8080?`,
  ],
];
for (const [what, yaml, notice] of told) {
  test(`${what}: that alone is told`, () => assert.deepEqual(noticesOn(MESH + yaml), [notice]));
}

test("AP-56 where Services lead the port to several, each may be meant", () => {
  const [notice] = noticesOn(
    MESH +
      workload("web", "{containerPort: 3000}") +
      service("web", "port: 80, targetPort: 3000") +
      authorization(ports("ports", 80), ""),
  );
  assert.match(notice ?? "", /did you mean 3000 or 8080\?$/);
});

const untold: [what: string, yaml: string][] = [
  ["a container port", authorization(ports("ports", 9090))],
  ["the container port of any that is selected", portModes(9090)],
  [
    "a port beside a workload that declares none, and may listen on any",
    workload("job", "none") + authorization(ports("ports", 80), ""),
  ],
  [
    "the target of a Service, which need not be declared",
    service("cart", "port: 7000").replace("name: cart", "name: more") +
      authorization(ports("ports", 7000)),
  ],
  ["PA-20 a port of the sidecar's own", authorization(ports("notPorts", 15021))],
  [
    "any port where no sidecar is",
    workload("old", "{containerPort: 1}", "legacy") +
      authorization(ports("ports", 80), "", "legacy"),
  ],
];
for (const [what, yaml] of untold) {
  test(`nothing is told of ${what}`, () => {
    const told = noticesOn(MESH + yaml).filter((notice) => notice.includes(MEANT));
    assert.deepEqual(told, []);
  });
}
