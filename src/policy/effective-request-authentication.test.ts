import assert from "node:assert/strict";
import { test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { effectiveRequestAuthentications } from "./effective-policy.ts";

const tokens = (name: string, { namespace = "shop", selector = "{}", issuers = "" }): string => `
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: ${selector}}
  jwtRules: [${issuers
    .split(" ")
    .map((issuer) => `{issuer: ${issuer}}`)
    .join(", ")}]`;

const cases: [rule: string, yaml: string, applying: string[]][] = [
  ["JWT-2 its own namespace", tokens("a", { issuers: "i" }), ["shop/a i"]],
  ["JWT-2 not another namespace", tokens("a", { namespace: "other", issuers: "i" }), []],
  [
    "JWT-2 the root namespace, with a selector",
    tokens("a", { namespace: "istio-system", selector: "{app: api}", issuers: "i" }),
    ["istio-system/a i"],
  ],
  ["JWT-2 another workload", tokens("a", { selector: "{app: x}", issuers: "i" }), []],
  [
    "JWT-3 all rules of all resources, by issuer",
    tokens("a", { issuers: "z b" }) + tokens("b", { issuers: "c a" }),
    ["shop/b a", "shop/a b", "shop/b c", "shop/a z"],
  ],
  [
    "JWT-7 one issuer twice",
    tokens("a", { issuers: "i" }) + tokens("b", { issuers: "i" }),
    ["shop/a i", "shop/b i"],
  ],
];
for (const [rule, yaml, applying] of cases) {
  test(rule, () => {
    const subject = { namespace: "shop", labels: { app: "api" } };
    const rules = effectiveRequestAuthentications(snapshotOf(yaml), subject);
    assert.deepEqual(
      rules.map(({ ref, rule: { issuer } }) => `${ref.namespace}/${ref.name} ${issuer}`),
      applying,
    );
  });
}
