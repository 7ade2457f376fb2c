/** A file of policies with thousands of rules about one workload, as a large mesh has them. */
import { Mix, type MixedRule } from "../policy/mixed-rules.ts";

/** About whom the policies are. */
export interface PoliciesOf {
  readonly namespace: string;
  readonly app: string;
}

const SEED = 23;

/** Every rule is another's business: what the mesh is asked for by this path, no rule of the mix lets in, or keeps out. */
export const ONLY_PATH = "/only-here";

/** @returns YAML of AuthorizationPolicies, each of `perPolicy` rules */
export function manyPolicies(
  rules: number,
  { perPolicy, ...about }: PoliciesOf & { readonly perPolicy: number },
): string {
  const mixed = new Mix(SEED).rules(rules);
  const documents = (["ALLOW", "DENY"] as const).flatMap((action) => {
    const own = mixed.filter((rule) => rule.action === action).map(ruleText);
    const count = Math.ceil(own.length / perPolicy);
    return Array.from({ length: count }, (_, index) => {
      const some = own.slice(index * perPolicy, (index + 1) * perPolicy);
      return policyText(`${action.toLowerCase()}-${index}`, action, some, about);
    });
  });
  return documents.join("---\n");
}

/** A policy that lets everybody ask for the one path. */
export function onlyPolicy(about: PoliciesOf): string {
  return policyText("only", "ALLOW", [ruleText({ action: "ALLOW", paths: [ONLY_PATH] })], about);
}

function policyText(
  name: string,
  action: MixedRule["action"],
  rules: readonly string[],
  { namespace, app }: PoliciesOf,
): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: ${app}}}
  action: ${action}
  rules:
${rules.join("")}`;
}

/** As people write them: a list a line. */
function ruleText({ action: _, header, ...rule }: MixedRule): string {
  const { principals, notPrincipals, namespaces, ...operation } = rule;
  const source = fieldLines({ principals, notPrincipals, namespaces });
  const parts = [
    ...(source === "" ? [] : [`from:\n    - source:\n${source}`]),
    `to:\n    - operation:\n${fieldLines(operation)}`,
    ...(header
      ? [
          `when:\n    - key: request.headers[${header.name}]\n      values: ${JSON.stringify(header.values)}\n`,
        ]
      : []),
  ];
  return `  - ${parts.join("    ")}`;
}

function fieldLines(fields: Readonly<Record<string, readonly string[] | undefined>>): string {
  return Object.entries(fields)
    .filter(([, values]) => values !== undefined)
    .map(([name, values]) => `        ${name}: ${JSON.stringify(values)}\n`)
    .join("");
}
