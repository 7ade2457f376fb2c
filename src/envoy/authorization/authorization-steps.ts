/**
 * In which order a change of authorization is sent where DENY and ALLOW are two resources: no state in between lets in
 * what both the old and the new policies refuse (QK-69).
 */
import type { ExtensionConfig, RbacRules } from "../envoy-json.ts";

type Configs = readonly ExtensionConfig[];

const DENY = "/deny";
const ALLOW = "/allow";

/**
 * Each step is all that the proxy is to have then, and is sent once the one before is acknowledged. One step is enough
 * where what denies and what allows are one resource, or only one of them changes.
 *
 * First both the old and the new denials count, then the new permissions, then the new denials alone.
 *
 * @param old what the proxy has acknowledged last
 * @returns the last step is `next`; there is at least one
 */
export function authorizationSteps(old: Configs, next: Configs): readonly Configs[] {
  const before = new Map(old.map((config) => [config.name, config]));
  const changed = changedPairs(before, next);
  if (changed.size === 0) return [next];
  const denials = new Map<string, ExtensionConfig>();
  for (const config of next) {
    const denied = changed.has(config.name) ? before.get(config.name) : undefined;
    if (denied !== undefined) denials.set(config.name, bothDenying(denied, config));
  }
  const widest = (config: ExtensionConfig): ExtensionConfig => denials.get(config.name) ?? config;
  const stillAllowed = (config: ExtensionConfig): ExtensionConfig =>
    changed.has(denialOf(config.name)) ? (before.get(config.name) ?? config) : widest(config);
  return withoutRepeats([old, next.map(stillAllowed), next.map(widest), next]).slice(1);
}

/** The names of denials that change together with their permissions. */
function changedPairs(
  before: ReadonlyMap<string, ExtensionConfig>,
  next: Configs,
): ReadonlySet<string> {
  const other = next.filter((config) => {
    const known = isPart(config.name) ? before.get(config.name) : undefined;
    return known !== undefined && !isSame(known, config);
  });
  const names = new Set(other.map(({ name }) => name));
  return new Set(
    [...names].filter((name) => name.endsWith(DENY) && names.has(name.replace(/\/deny$/, ALLOW))),
  );
}

function isPart(name: string): boolean {
  return name.endsWith(DENY) || name.endsWith(ALLOW);
}

function denialOf(name: string): string {
  return name.endsWith(ALLOW) ? `${name.slice(0, -ALLOW.length)}${DENY}` : "";
}

function bothDenying(old: ExtensionConfig, next: ExtensionConfig): ExtensionConfig {
  const [before, after] = [old.typedConfig.rules, next.typedConfig.rules];
  if (before === undefined) return next;
  if (after === undefined) return { ...next, typedConfig: { ...next.typedConfig, rules: before } };
  const rules: RbacRules = { ...after, policies: { ...renamed(before, after), ...after.policies } };
  return { ...next, typedConfig: { ...next.typedConfig, rules } };
}

/** What was called the same and is another rule keeps counting, under another name. */
function renamed(before: RbacRules, after: RbacRules): NonNullable<RbacRules["policies"]> {
  const policies = Object.entries(before.policies ?? {}).map(([name, policy]): [string, object] => {
    const now = after.policies?.[name];
    return [now === undefined || isSame(now, policy) ? name : `${name}-before`, policy];
  });
  return Object.fromEntries(policies);
}

/** The first of those that are the same. */
function withoutRepeats(steps: readonly Configs[]): readonly Configs[] {
  return steps.filter((step, index) => index === 0 || !isSame(step, steps[index - 1]));
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
