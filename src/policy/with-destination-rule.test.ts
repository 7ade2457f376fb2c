import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import { compileDestinationRules } from "./destination-rules.ts";
import { DEFAULT_TRAFFIC_POLICY, UNLIMITED } from "./effective-traffic-policy.ts";
import type { Destination } from "./workload-view.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, tier: front}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: http-more, port: 81, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: shop}
spec: {selector: {app: api}, ports: [{name: tcp, port: 80, targetPort: 8080}]}`;

interface RuleParts {
  readonly in?: string;
  readonly host?: string;
  readonly more?: string;
}

/** Later ones are younger, too. */
function rule(name: string, policy: string, parts: RuleParts = {}): string {
  const { in: namespace = "shop", host = "api.shop.svc.cluster.local", more = "" } = parts;
  return `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: "20${10 + name.length}-01-01T00:00:00Z"}
spec: {host: "${host}"${policy && `, trafficPolicy: {${policy}}`}${more}}`;
}

function destinationOf(rules: string, service = "api", port = 80): Destination {
  const snapshot = snapshotOf(MESH + rules);
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, "shop/api-0"));
  const found = view.outbound.destinations.find(
    ({ serviceName, servicePort }) => serviceName === service && servicePort === port,
  );
  assert.ok(found);
  return found;
}

const MAX_7 = "connectionPool: {tcp: {maxConnections: 7}}";
const RANDOM = "loadBalancer: {simple: RANDOM}";
const OUTLIER = "outlierDetection: {consecutive5xxErrors: 1}";
const MUTUAL = "tls: {mode: ISTIO_MUTUAL}";
const on81 = (fields: string): string => `portLevelSettings: [{port: {number: 81}, ${fields}}]`;
const FRONT = { more: ", workloadSelector: {matchLabels: {tier: front}}" };
const BACK = { more: ", workloadSelector: {matchLabels: {tier: back}}" };
const ROOT = { in: "istio-system", host: "*.local" };

/** What is in force on one port: the algorithm, the most connections, the errors, the mode of TLS; "-" for a default. */
const tables: [name: string, rules: string, port: number, inForce: string, by?: string][] = [
  ["no rule", "", 80, "- - - -"],
  [
    "a rule",
    rule("r", `${RANDOM}, ${MAX_7}, ${OUTLIER}, ${MUTUAL}`),
    80,
    "RANDOM 7 1 ISTIO_MUTUAL",
    "r",
  ],
  ["TLS alone", rule("r", MUTUAL), 80, "- - - ISTIO_MUTUAL"],
  [
    "TLS-42 a port's instead of all",
    rule("r", `${RANDOM}, ${MUTUAL}, ${on81(MAX_7)}`),
    81,
    "- 7 - -",
    "r",
  ],
  [
    "TLS-42 another port's",
    rule("r", `${RANDOM}, ${MUTUAL}, ${on81(MAX_7)}`),
    80,
    "RANDOM - - ISTIO_MUTUAL",
    "r",
  ],
  [
    "TLS-42 a port's TLS alone",
    rule("r", `${RANDOM}, ${on81("tls: {mode: DISABLE}")}`),
    81,
    "- - - DISABLE",
  ],
  [
    "TLS-41 the oldest trafficPolicy as a whole",
    rule("r", RANDOM) + rule("rr", `${MAX_7}, ${MUTUAL}`),
    80,
    "RANDOM - - -",
    "r",
  ],
  [
    "TLS-41 one without trafficPolicy hides none",
    rule("r", "") + rule("rr", MAX_7),
    80,
    "- 7 - -",
    "rr",
  ],
  [
    "TLS-41 one that selects the client, though it says nothing, before one for all",
    rule("r", RANDOM) + rule("rr", "", FRONT),
    80,
    "- - - -",
  ],
  [
    "TLS-41 one for other clients says nothing here",
    rule("r", RANDOM, BACK) + rule("rr", MAX_7),
    80,
    "- 7 - -",
    "rr",
  ],
  [
    "TLS-41 the namespace's before the root's, whatever it says",
    rule("r", OUTLIER, ROOT) + rule("rr", MUTUAL),
    80,
    "- - - ISTIO_MUTUAL",
  ],
  ["TLS-41 the root's for all", rule("r", OUTLIER, ROOT), 81, "- - 1 -", "r"],
];
for (const [name, rules, port, inForce, by] of tables) {
  test(`${name}: ${inForce}`, () => {
    const { trafficPolicy, clientTls } = destinationOf(rules, "api", port);
    const { loadBalancing, connectionPool, outlierDetection } =
      trafficPolicy ?? DEFAULT_TRAFFIC_POLICY;
    const { algorithm } = loadBalancing;
    const { maxConnections } = connectionPool;
    const said = [
      algorithm === "LEAST_REQUEST" ? "-" : algorithm,
      maxConnections === UNLIMITED ? "-" : maxConnections,
      outlierDetection?.consecutive5xxErrors ?? "-",
      clientTls?.mode ?? "-",
    ];
    assert.equal(said.join(" "), inForce);
    assert.equal(trafficPolicy?.origin.ref.name, by);
  });
}

test("a rule for one host leaves the others as they were, and views are plain JSON", () => {
  const rules = rule("r", `${RANDOM}, ${MAX_7}, ${OUTLIER}`);
  assert.deepEqual(destinationOf(rules, "other"), destinationOf("", "other"));
  const destination = destinationOf(rules);
  assert.deepEqual(JSON.parse(JSON.stringify(destination)), destination);
});

test("how long TCP may last is the rule's own to say, of every port", () => {
  const own = "connectionPool: {tcp: {idleTimeout: 5s}}";
  const { trafficPolicy } = destinationOf(rule("r", `${own}, ${on81(MUTUAL)}`), "api", 81);
  assert.equal(trafficPolicy?.connectionPool.tcpIdleTimeoutMs, 5_000);
});

test("TLS-41 rules that go together have all their subsets, of one name the oldest", () => {
  const subsets = (...names: string[]) => ({
    more: `, subsets: [${names.map((name) => `{name: ${name}, labels: {of: r${names.length}}}`).join(", ")}]`,
  });
  const snapshot = snapshotOf(
    MESH + rule("r", RANDOM, subsets("a")) + rule("rr", "", subsets("a", "b")),
  );
  const caller = workloadNamed(snapshot, "shop/api-0");
  const chosen = compileDestinationRules(
    snapshot,
    caller,
  )({
    host: "api.shop.svc.cluster.local",
    serviceNamespace: "shop",
  });
  assert.deepEqual(
    chosen?.subsets.map(({ name, labels }) => `${name} ${labels["of"]}`),
    ["a r1", "b r2"],
  );
});
