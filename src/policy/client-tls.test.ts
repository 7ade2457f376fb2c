import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { buildWorkloadView } from "./build-workload-view.ts";
import type { Destination } from "./workload-view.ts";

const deployment = (namespace: string, name: string, labels = ""): string => `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}${labels}}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: a, image: x, ports: [{containerPort: 8080}]}]`;

const namespace = (name: string): string => `
---
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {istio-injection: enabled}}`;

const MESH =
  ["shop", "web", "istio-system"].map(namespace).join("") +
  deployment("shop", "api") +
  deployment("shop", "old", ", sidecar.istio.io/inject: 'false'") +
  deployment("shop", "near") +
  deployment("web", "caller", ", tier: front") +
  deployment("istio-system", "gateway") +
  `
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
metadata: {name: old, namespace: shop}
spec:
  selector: {app: old}
  ports: [{name: http, port: 80, targetPort: 8080}]`;

interface RuleParts {
  readonly name?: string;
  readonly in?: string;
  readonly host?: string;
  readonly tls?: string;
  /** Whole `trafficPolicy`, instead of `tls`. */
  readonly policy?: string;
  /** Further fields of `spec`. */
  readonly more?: string;
  readonly created?: string;
}

const API = "api.shop.svc.cluster.local";

function rule(parts: RuleParts): string {
  const { host = API, tls = "{mode: DISABLE}", policy = `{tls: ${tls}}`, more = "" } = parts;
  const created = parts.created ? `, creationTimestamp: "${parts.created}"` : "";
  return `
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${parts.name ?? "rule"}, namespace: ${parts.in ?? "web"}${created}}
spec: {host: "${host}", trafficPolicy: ${policy}${more}}`;
}

/** The destination `shop/NAME:PORT` as a client's sidecar is told of it. */
function destinationOf(
  rules: string,
  { client = "web/caller-0", name = "api", port = 80 } = {},
): Destination {
  const snapshot = snapshotOf(MESH + rules);
  const view = buildWorkloadView(snapshot, workloadNamed(snapshot, client));
  const found = view.outbound.destinations.find(
    ({ serviceName, servicePort }) => serviceName === name && servicePort === port,
  );
  assert.ok(found);
  return found;
}

const MUTUAL = "{mode: ISTIO_MUTUAL}";
const SILENT = "{loadBalancer: {simple: RANDOM}}";
const PORT_81 = "{portLevelSettings: [{port: {number: 81}, tls: {mode: DISABLE}}]}";
const FRONT = ", workloadSelector: {matchLabels: {tier: front}}";
const CALLER = ", workloadSelector: {matchLabels: {app: caller}}";
/** Which rule counts: its name, or "none". */
const lookups: [id: string, rules: string, chosen: string, asked?: { client?: string }][] = [
  ["no rule at all", "", "none"],
  ["the client's namespace", rule({}), "rule"],
  ["the service's namespace", rule({ in: "shop" }), "rule"],
  ["the root namespace", rule({ in: "istio-system" }), "rule"],
  ["another namespace", rule({ in: "elsewhere" }), "none"],
  [
    "the client's before the service's",
    rule({ name: "service", in: "shop" }) + rule({ name: "client" }),
    "client",
  ],
  [
    "the service's before the root's",
    rule({ name: "root", in: "istio-system" }) + rule({ name: "service", in: "shop" }),
    "service",
  ],
  [
    "a wildcard of the client's before the full name of the service's",
    rule({ name: "service", in: "shop" }) + rule({ name: "client", host: "*" }),
    "client",
  ],
  ["not exported to the client (QK-86)", rule({ in: "shop", more: ", exportTo: ['.']" }), "none"],
  ["exported to another", rule({ in: "shop", more: ", exportTo: [other]" }), "none"],
  ["exported to the client", rule({ in: "shop", more: ", exportTo: [other, web]" }), "rule"],
  ["exported to all", rule({ in: "shop", more: ", exportTo: ['*']" }), "rule"],
  ["private in the client's", rule({ more: ", exportTo: ['.']" }), "rule"],
  ["in the client's, for others alone", rule({ more: ", exportTo: [other]" }), "none"],
  [
    "one that is not exported hides nothing",
    rule({ name: "service", in: "shop", more: ", exportTo: ['.']" }) +
      rule({ name: "wild", in: "shop", host: "*.shop.svc.cluster.local" }),
    "wild",
  ],
  ["a short name in the service's namespace", rule({ in: "shop", host: "api" }), "rule"],
  ["a short name in another namespace", rule({ host: "api" }), "none"],
  ["a name with a dot is taken as it is", rule({ host: "api.shop" }), "none"],
  ["a suffix", rule({ host: "*.shop.svc.cluster.local" }), "rule"],
  ["a suffix within a label", rule({ host: "*pi.shop.svc.cluster.local" }), "rule"],
  ["a suffix of others", rule({ host: "*.web.svc.cluster.local" }), "none"],
  [
    "the full name before a suffix",
    rule({ name: "wild", host: "*" }) + rule({ name: "exact" }),
    "exact",
  ],
  [
    "the longer suffix",
    rule({ name: "local", host: "*.local" }) +
      rule({ name: "shop", host: "*.shop.svc.cluster.local" }) +
      rule({ name: "all", host: "*" }),
    "shop",
  ],
  [
    "a selector that selects",
    rule({ more: ", workloadSelector: {matchLabels: {tier: front}}" }),
    "rule",
  ],
  [
    "a selector that does not",
    rule({ more: ", workloadSelector: {matchLabels: {tier: x}}" }),
    "none",
  ],
  [
    "a selector before none",
    rule({ name: "all", created: "2020-01-01T00:00:00Z" }) +
      rule({
        name: "front",
        created: "2021-01-01T00:00:00Z",
        more: ", workloadSelector: {matchLabels: {tier: front}}",
      }),
    "front",
  ],
  [
    "a selector holds in its own namespace alone",
    rule({ in: "shop", more: ", workloadSelector: {matchLabels: {tier: front}}" }),
    "none",
  ],
  [
    "the older of two for one host",
    rule({ name: "a", created: "2021-01-01T00:00:00Z" }) +
      rule({ name: "b", created: "2020-01-01T00:00:00Z", tls: MUTUAL }),
    "b",
  ],
  [
    "an older one whose trafficPolicy says nothing of TLS counts",
    rule({ name: "old", created: "2020-01-01T00:00:00Z", policy: SILENT }) +
      rule({ name: "new", created: "2021-01-01T00:00:00Z" }),
    "none",
  ],
  [
    "an older one without a trafficPolicy gives way",
    rule({ name: "old", created: "2020-01-01T00:00:00Z", policy: "null" }) +
      rule({ name: "new", created: "2021-01-01T00:00:00Z" }),
    "new",
  ],
  [
    "of two for different namespaces the newer",
    rule({ name: "a", created: "2020-01-01T00:00:00Z" }) +
      rule({ name: "b", created: "2021-01-01T00:00:00Z", more: ", exportTo: ['.']" }),
    "b",
  ],
  [
    "one for more namespaces goes with one for fewer",
    rule({ name: "a", created: "2020-01-01T00:00:00Z", more: ", exportTo: ['.']" }) +
      rule({ name: "b", created: "2021-01-01T00:00:00Z", more: ", exportTo: ['.', other]" }),
    "a",
  ],
  [
    "one that goes with another, but not with the last, counts for itself",
    rule({ name: "a", created: "2020-01-01T00:00:00Z", more: ", exportTo: ['.', one]" }) +
      rule({ name: "b", created: "2021-01-01T00:00:00Z", more: ", exportTo: ['.', other]" }) +
      rule({ name: "c", created: "2022-01-01T00:00:00Z", more: ", exportTo: ['.', one, third]" }),
    "c",
  ],
  [
    "of two that select the client by different labels the older",
    rule({ name: "a", created: "2021-01-01T00:00:00Z", more: FRONT }) +
      rule({ name: "b", created: "2020-01-01T00:00:00Z", more: CALLER }),
    "b",
  ],
  [
    "of two that select it by the same labels the first with a trafficPolicy",
    rule({ name: "a", created: "2020-01-01T00:00:00Z", policy: "null", more: FRONT }) +
      rule({ name: "b", created: "2021-01-01T00:00:00Z", more: FRONT }),
    "b",
  ],
  [
    "but not when it selects the client and the other one does not",
    rule({ name: "all", created: "2020-01-01T00:00:00Z" }) +
      rule({ name: "front", policy: SILENT, more: FRONT }),
    "none",
  ],
  [
    "nor when it speaks of one port alone",
    rule({ name: "port", policy: PORT_81, created: "2020-01-01T00:00:00Z" }) +
      rule({ name: "new", created: "2021-01-01T00:00:00Z" }),
    "none",
  ],
  ["of the same age, the first by name", rule({ name: "b" }) + rule({ name: "a" }), "a"],
  [
    "a client in the root namespace: the service's before the mesh's",
    rule({ name: "mesh", in: "istio-system", host: "*" }) + rule({ name: "service", in: "shop" }),
    "service",
    { client: "istio-system/gateway-0" },
  ],
  [
    "a client in the root namespace: what is for that namespace alone",
    rule({ name: "own", in: "istio-system", host: "*", more: ", exportTo: ['.']" }) +
      rule({ name: "service", in: "shop" }),
    "own",
    { client: "istio-system/gateway-0" },
  ],
  [
    "a client in the root namespace: what is for others too comes after the service's",
    rule({ name: "shared", in: "istio-system", host: "*", more: ", exportTo: ['.', web]" }) +
      rule({ name: "service", in: "shop" }),
    "service",
    { client: "istio-system/gateway-0" },
  ],
  [
    "what is for the root namespace alone is nobody else's",
    rule({ in: "istio-system", host: "*", more: ", exportTo: ['.']" }),
    "none",
  ],
  [
    "a client beside the service",
    rule({ in: "shop", host: "api" }),
    "rule",
    { client: "shop/near-0" },
  ],
];
for (const [id, rules, chosen, asked] of lookups) {
  test(`TLS-41 ${id}: ${chosen}`, () => {
    const { clientTls } = destinationOf(rules, asked);
    assert.equal(clientTls?.origin.ref.name ?? "none", chosen);
  });
}

test("TLS-41 the order in which rules are given changes nothing", () => {
  const several = lookups.filter(([, rules]) => rules.split("\n---").length > 2);
  assert.ok(several.length >= 8);
  for (const [id, rules, chosen, asked] of several) {
    const reversed = rules.split("\n---").slice(1).reverse();
    const { clientTls } = destinationOf(reversed.map((each) => `\n---${each}`).join(""), asked);
    assert.equal(clientTls?.origin.ref.name ?? "none", chosen, id);
  }
});

const onPort81 = (settings: string): string =>
  rule({ policy: `{tls: ${MUTUAL}, portLevelSettings: [{port: {number: 81}, ${settings}}]}` });
const ports: [id: string, rules: string, port: number, mode: string][] = [
  ["the rule's own", onPort81("tls: {mode: DISABLE}"), 80, "ISTIO_MUTUAL"],
  ["the port's instead", onPort81("tls: {mode: DISABLE}"), 81, "DISABLE"],
  [
    "a port's without tls is automatic (QK-81)",
    onPort81("loadBalancer: {simple: RANDOM}"),
    81,
    "automatic",
  ],
  [
    "the port is the service's, not the container's",
    rule({ policy: "{portLevelSettings: [{port: {number: 8080}, tls: {mode: DISABLE}}]}" }),
    80,
    "automatic",
  ],
  [
    "a rule without tls says nothing",
    rule({ policy: "{loadBalancer: {simple: RANDOM}}" }),
    80,
    "automatic",
  ],
];
for (const [id, rules, port, mode] of ports) {
  test(`TLS-42 ${id}: ${mode}`, () => {
    assert.equal(destinationOf(rules, { port }).clientTls?.mode ?? "automatic", mode);
  });
}

const identityOf = (name: string): string => `spiffe://cluster.local/ns/shop/sa/${name}`;
const derived = "outbound_.80_._.api.shop.svc.cluster.local";

test("TLS-31 DISABLE: plaintext to every endpoint, and the rule is named with its place", () => {
  const destination = destinationOf(rule({}));
  assert.deepEqual(
    destination.endpoints.map(({ workload, mutualTls }) => [workload, mutualTls]),
    [["api-0", false]],
  );
  assert.deepEqual(destination.clientTls, {
    mode: "DISABLE",
    origin: {
      ref: { kind: "DestinationRule", namespace: "web", name: "rule" },
      source: { file: "mesh.yaml", line: (MESH + rule({})).split("\n").length - 3 },
    },
  });
});

test("TLS-30 ISTIO_MUTUAL: mutual TLS also to an endpoint without a sidecar", () => {
  const rules = rule({ host: "old.shop.svc.cluster.local", tls: MUTUAL });
  const mutualTls = (given: string): (boolean | undefined)[] =>
    destinationOf(given, { name: "old" }).endpoints.map((endpoint) => endpoint.mutualTls);
  assert.deepEqual(mutualTls(rules), [true]);
  assert.deepEqual(mutualTls(""), [false]);
});

test("TLS-20, TLS-30 ISTIO_MUTUAL holds where automatic mutual TLS is switched off", () => {
  const off = "\n---\nenableAutoMtls: false\n";
  assert.equal(destinationOf(off).endpoints[0]?.mutualTls, false);
  assert.equal(destinationOf(rule({ tls: MUTUAL }) + off).endpoints[0]?.mutualTls, true);
});

const names: [
  id: string,
  tls: string,
  serverName: string,
  identities: string[],
  endpoints: number,
][] = [
  ["derived when unset", MUTUAL, derived, [identityOf("api")], 1],
  [
    "sni is kept",
    "{mode: ISTIO_MUTUAL, sni: api.example.com}",
    "api.example.com",
    [identityOf("api")],
    1,
  ],
  [
    "names replace the derived ones",
    `{mode: ISTIO_MUTUAL, subjectAltNames: ["${identityOf("x")}", "${identityOf("y")}"]}`,
    derived,
    [identityOf("x"), identityOf("y")],
    1,
  ],
  [
    "an empty list is unset",
    "{mode: ISTIO_MUTUAL, subjectAltNames: []}",
    derived,
    [identityOf("api")],
    1,
  ],
  [
    "a name that is no identity matches nobody",
    `{mode: ISTIO_MUTUAL, subjectAltNames: [api.example.com, "${identityOf("x")}"]}`,
    derived,
    [identityOf("x")],
    1,
  ],
  [
    "no identity among the names: nobody can be reached",
    "{mode: ISTIO_MUTUAL, subjectAltNames: [api.example.com]}",
    derived,
    [],
    0,
  ],
];
for (const [id, tls, serverName, identities, endpoints] of names) {
  test(`TLS-32 ${id}`, () => {
    const destination = destinationOf(rule({ tls }));
    assert.equal(destination.serverName, serverName);
    assert.deepEqual(destination.identities, identities);
    assert.equal(destination.endpoints.length, endpoints);
  });
}

test("a rule for one host leaves the others as they were, and views are plain JSON", () => {
  const rules = rule({});
  assert.deepEqual(destinationOf(rules, { name: "old" }), destinationOf("", { name: "old" }));
  const destination = destinationOf(rules);
  assert.deepEqual(JSON.parse(JSON.stringify(destination)), destination);
});
