/** Cedar as WebAssembly, its policies parsed once and kept (`preparsePolicySet`). */
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import type { Engine } from "./engine.ts";
import type { MixedRule } from "./mixed-rules.ts";

const ENTITY = { type: "Mesh", id: "any" };
let loaded = 0;

export const cedarEngine: Engine = {
  name: "cedar-wasm",
  load(rules) {
    const preparsedPolicySetId = `rules-${loaded++}`;
    const staticPolicies = Object.fromEntries(
      rules.map((rule, index) => [`r${index}`, cedarPolicy(rule)]),
    );
    const answer = preparsePolicySet(preparsedPolicySetId, { staticPolicies });
    if (answer.type !== "success")
      throw new Error(`Cedar refuses the rules: ${JSON.stringify(answer)}`);
    return Promise.resolve(({ principal, namespace, method, host, port, path, headers }) => {
      const context = { principal, namespace, method, host, port: String(port), path, headers };
      const call = {
        principal: ENTITY,
        action: ENTITY,
        resource: ENTITY,
        context,
        entities: [],
        preparsedPolicySetId,
      };
      return () => {
        const result = statefulIsAuthorized(call);
        if (result.type !== "success") throw new Error(`Cedar fails: ${JSON.stringify(result)}`);
        return result.response.decision === "allow";
      };
    });
  },
};

const ATTRIBUTES = [
  ["principals", "principal"],
  ["namespaces", "namespace"],
  ["methods", "method"],
  ["hosts", "host"],
  ["ports", "port"],
  ["paths", "path"],
] as const;

function cedarPolicy(rule: MixedRule): string {
  const { header, notPrincipals, notPaths } = rule;
  const conditions = [
    ...ATTRIBUTES.flatMap(([name, attribute]) => oneOf(`context.${attribute}`, rule[name])),
    ...oneOf("context.principal", notPrincipals).map((condition) => `!${condition}`),
    ...oneOf("context.path", notPaths).map((condition) => `!${condition}`),
    ...(header
      ? [
          `(context.headers has "${header.name}" && ${oneOf(`context.headers["${header.name}"]`, header.values).join("")})`,
        ]
      : []),
  ];
  const effect = rule.action === "ALLOW" ? "permit" : "forbid";
  return `${effect}(principal, action, resource) when { ${conditions.join(" && ")} };`;
}

function oneOf(attribute: string, values: readonly string[] | undefined): string[] {
  if (values === undefined) return [];
  const tests = values.map((value) =>
    value.includes("*") ? `${attribute} like "${value}"` : `${attribute} == "${value}"`,
  );
  return [`(${tests.join(" || ")})`];
}
