/** Each of the 17 practices: one mesh that keeps it, and one that does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { analyzeTexts } from "./analyze-texts.ts";
import { type AuditedPractice, auditTexts } from "./audit-texts.ts";
import type { LiveFacts } from "./practice.ts";
import { PRACTICES } from "./practices.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

/** Keeps all of them; each bad mesh differs by one replacement. */
const GOOD = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: istio-system, labels: {istio-injection: disabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  template:
    metadata: {labels: {app: cart}}
    spec: {serviceAccountName: cart, containers: [{name: cart, image: x}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-all, namespace: shop}
spec: {}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web], requestPrincipals: ["*"]}}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, jwtRules: [{issuer: x, jwks: '{"keys":[]}'}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: istio-system}
spec: {template: {metadata: {labels: {istio: ingressgateway}}, spec: {containers: []}}}
---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["shop.example.com"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: ["shop.example.com"]
  gateways: [istio-system/front]
  http: [{route: [{destination: {host: cart, port: {number: 80}}}]}]
---
apiVersion: hauberk.dev/v1alpha1
kind: RateLimit
metadata: {name: cart, namespace: shop}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
defaultConfig: {proxyMetadata: {SECRET_TTL: 12h}}
extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: opa.shop, port: 9191, failOpen: false}}]
`;

const GOOD_LIVE: LiveFacts = {
  now: NOW,
  mode: "loopback",
  authorities: [
    { id: "a1", state: "active", origin: "custom", chainNotAfter: "2027-06-01T00:00:00Z" },
  ],
  certificates: [{ pod: "shop/cart-0", ends: "2026-06-01T12:00:00Z" }],
  warnings: [],
};

type Change = { readonly text: readonly [from: string, to: string] } | { readonly live: LiveFacts };

const SELF_SIGNED = GOOD_LIVE.authorities.map((one) => ({
  ...one,
  origin: "self-signed" as const,
}));
const ENDING = GOOD_LIVE.authorities.map((one) => ({
  ...one,
  chainNotAfter: "2026-06-20T00:00:00Z",
}));

const BAD: Readonly<Record<string, Change>> = {
  "strict-mutual-tls": { text: ["mode: STRICT", "mode: PERMISSIVE"] },
  "deny-all-baseline": { text: ["spec: {}", "spec: {rules: [{}]}"] },
  "custom-authority": { live: { ...GOOD_LIVE, authorities: SELF_SIGNED } },
  "authority-rotation": { live: { ...GOOD_LIVE, authorities: ENDING } },
  "policies-for-services": { text: ["  selector: {matchLabels: {app: cart}}\n  rules", "  rules"] },
  "identities-not-addresses": {
    text: [
      'principals: [cluster.local/ns/shop/sa/web], requestPrincipals: ["*"]',
      "ipBlocks: [10.0.0.0/8]",
    ],
  },
  "tokens-from-outside": { text: [', requestPrincipals: ["*"]', ""] },
  "authorizers-fail-closed": { text: ["failOpen: false", "failOpen: true"] },
  "watched-denials": {
    text: [
      "---\ndefaultConfig",
      "---\napiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: quiet, namespace: shop}\nspec: {accessLogging: [{disabled: true}]}\n---\ndefaultConfig",
    ],
  },
  "regular-analysis": { text: ["host: cart, port", "host: nobody, port"] },
  "own-service-accounts": { text: ["serviceAccountName: cart, ", ""] },
  "short-lifetimes": { text: ["SECRET_TTL: 12h", "SECRET_TTL: 720h"] },
  "migrated-to-strict": { text: ["mode: STRICT", "mode: DISABLE"] },
  "deny-by-default": { text: ["spec: {}", "spec: {action: ALLOW, rules: [{}]}"] },
  "rate-limits": { text: ["kind: RateLimit", "kind: ConfigMap"] },
  "watched-certificates": { live: { ...GOOD_LIVE, warnings: ["shop/cart-0 is not renewed"] } },
  "network-policies": { text: ["podSelector: {}", "podSelector: {matchLabels: {app: web}}"] },
};

function audit(text: string, live?: LiveFacts): readonly AuditedPractice[] {
  const texts = [{ file: "mesh.yaml", text }];
  const findings = analyzeTexts(texts, {
    now: NOW,
    gateway: live === undefined ? "assumed" : "written",
  });
  return auditTexts(texts, { now: NOW, findings, unanalyzed: [], ...(live && { live }) });
}

function audited(text: string, live?: LiveFacts): ReadonlyMap<string, string> {
  return new Map(audit(text, live).map(({ id, verdict }) => [id, verdict]));
}

test("a good mesh meets all 17 practices", () => {
  const faults = audit(GOOD, GOOD_LIVE).filter(({ verdict }) => verdict !== "met");
  assert.deepEqual(
    faults.map(({ id, evidence }) => [id, evidence]),
    [],
  );
  assert.equal(PRACTICES.length, 17);
});

for (const { id } of PRACTICES) {
  test(`${id} is not met by a mesh that does not keep it`, () => {
    const change = BAD[id] ?? assert.fail("there is no bad mesh for it");
    if ("live" in change) {
      assert.equal(audited(GOOD, change.live).get(id), "not met");
      return;
    }
    const [from, to] = change.text;
    assert.ok(GOOD.includes(from), "the good mesh has what is replaced");
    const bad = audit(GOOD.replace(from, to), GOOD_LIVE);
    const judged = bad.find((one) => one.id === id);
    assert.equal(judged?.verdict, "not met");
    assert.ok(judged.evidence.length > 0, "evidence");
    assert.ok(judged.fix.length > 0, "a fix");
  });
}

for (const { id, fix } of PRACTICES.filter((one) => one.fix.startsWith("apiVersion"))) {
  test(`the fix of ${id} is taken by both gates`, () => {
    const text = fix.replaceAll(/\b(NAMESPACE|NAME|ISSUER)\b/g, (word) => word.toLowerCase());
    const { resources, issues } = parseResources(text, "fix.yaml");
    assert.deepEqual(issues, []);
    assert.ok(resources.length > 0);
  });
}

const PERMISSIVE = (name: string, more = ""): string => `---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ${name}, namespace: shop}
spec: {${more}mtls: {mode: PERMISSIVE}}
`;
const SELECTIVE = PERMISSIVE("cart", "selector: {matchLabels: {app: cart}}, ");
const LAX: readonly [what: string, mesh: string][] = [
  ["no PeerAuthentication at all", GOOD.replace("mode: STRICT", "mode: PERMISSIVE")],
  ["one of the namespace", `${PERMISSIVE("own")}---\n${GOOD}`],
  ["one of the workload", `${SELECTIVE}---\n${GOOD}`],
  ["both", `${SELECTIVE}${PERMISSIVE("default")}---\n${GOOD}`],
];
for (const [what, mesh] of LAX) {
  test(`the fix of migrated-to-strict, put in, is enough: ${what}`, () => {
    const judged = audit(mesh).find(({ id }) => id === "migrated-to-strict");
    assert.equal(judged?.verdict, "not met");
    const { resources, issues } = parseResources(judged.fix, "fix.yaml");
    assert.deepEqual(issues, []);
    const places = resources.map(({ meta }) => `${meta.namespace}/${meta.name}`);
    const others = mesh.split("---\n").filter((text) => {
      const [, name] =
        /kind: PeerAuthentication\nmetadata: \{name: (\w+), namespace: shop/.exec(text) ?? [];
      return name === undefined || !places.includes(`shop/${name}`);
    });
    const mended = [...others, judged.fix].join("\n---\n");
    assert.equal(audited(mended).get("migrated-to-strict"), "met", judged.fix);
  });
}

test("one is told as one", () => {
  const told = audit(GOOD, GOOD_LIVE).flatMap(({ evidence }) => evidence);
  assert.doesNotMatch(told.join("\n"), /\b1 [a-z]+s\b|\ball 1\b/);
});

test("of files alone, what only a running mesh has cannot be told", () => {
  const verdicts = audited(GOOD);
  for (const id of ["custom-authority", "authority-rotation", "watched-certificates"])
    assert.equal(verdicts.get(id), "cannot tell");
});

test("an empty mesh meets nothing that it would have to have", () => {
  const verdicts = audited("");
  assert.equal(verdicts.get("strict-mutual-tls"), "not met");
  assert.equal(verdicts.get("deny-all-baseline"), "cannot tell");
});

const FIXED_IN: readonly (readonly [id: string, from: string, to: string])[] = [
  ["deny-all-baseline", "spec: {}", "spec: {rules: [{}]}"],
  ["tokens-from-outside", ', requestPrincipals: ["*"]', ""],
  ["rate-limits", "kind: RateLimit", "kind: ConfigMap"],
  ["network-policies", "podSelector: {}", "podSelector: {matchLabels: {app: web}}"],
];

for (const [id, from, to] of FIXED_IN) {
  test(`the fix of ${id} names the namespace that needs it`, () => {
    const judged = audit(GOOD.replace(from, to), GOOD_LIVE).find((one) => one.id === id);
    assert.match(judged?.fix ?? "", /namespace: shop/);
    assert.doesNotMatch(judged?.fix ?? "", /NAMESPACE/);
  });
}

test("a fix is told for each namespace that needs it, as documents of one text", () => {
  const ops = GOOD.slice(0, GOOD.indexOf("---\napiVersion: v1\nkind: Service"))
    .replaceAll("shop", "ops")
    .replaceAll("istio-system", "other");
  const judged = audit(`${GOOD.replace("spec: {}", "spec: {rules: [{}]}")}---\n${ops}`, GOOD_LIVE);
  const { fix = "" } = judged.find((one) => one.id === "deny-all-baseline") ?? {};
  const { resources, issues } = parseResources(fix, "fix.yaml");
  assert.deepEqual(issues, []);
  assert.deepEqual(resources.map(({ meta }) => meta.namespace).sort(), ["ops", "shop"]);
});

test("what analyze could not look at leaves open whether it finds anything", () => {
  const texts = [{ file: "mesh.yaml", text: GOOD }];
  const judged = auditTexts(texts, { now: NOW, findings: [], unanalyzed: ["no program opa"] });
  const regular = judged.find((one) => one.id === "regular-analysis");
  assert.deepEqual([regular?.verdict, regular?.evidence], ["cannot tell", ["no program opa"]]);
});
