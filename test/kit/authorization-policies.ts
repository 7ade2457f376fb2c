/** Policies from their `spec` alone, as YAML, in namespace `shop`. */
import assert from "node:assert/strict";
import type { AuthorizationPolicy } from "../../src/api/authorization-policy.ts";
import { parseResources } from "../../src/api/parse-resources.ts";
import { ofKind } from "../../src/policy/mesh-snapshot.ts";

export function authorizationPolicies(...specs: readonly string[]): readonly AuthorizationPolicy[] {
  const documents = specs.map(
    (spec, index) =>
      `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p${index}, namespace: shop}\nspec: ${spec}\n`,
  );
  const { resources, issues } = parseResources(documents.join("---\n"), "policies.yaml");
  assert.deepEqual(issues, []);
  return ofKind(resources, "AuthorizationPolicy");
}
