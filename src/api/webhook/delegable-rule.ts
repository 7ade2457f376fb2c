/** What a rule of a CUSTOM policy must not ask (VAL-22): who calls is known only once the authorizer has been asked. */
import type { Fields } from "../decoder.ts";

const SOURCE_FIELDS = [
  "principals",
  "notPrincipals",
  "requestPrincipals",
  "notRequestPrincipals",
  "namespaces",
  "notNamespaces",
  "serviceAccounts",
  "notServiceAccounts",
  "trustDomains",
  "notTrustDomains",
];
const KEYS: ReadonlySet<string> = new Set([
  "source.namespace",
  "source.serviceAccount",
  "source.trustDomain",
  "source.principal",
]);

export function checkDelegable(rule: Fields): void {
  for (const from of rule.list("from")) {
    const source = from.section("source");
    for (const name of SOURCE_FIELDS) {
      if (source.itemCount(name) > 0) source.report(name, "cannot be used with action CUSTOM");
    }
  }
  for (const condition of rule.list("when")) {
    const key = condition.text("key") ?? "";
    if (KEYS.has(key) || key.startsWith("request.auth.")) {
      condition.report("key", `${key} cannot be used with action CUSTOM`);
    }
  }
}
