/** What is made of requests beyond the rules that decide: who is asked about them, what only watches them, what is left in them. */
import { isObject, type Json, objectAt } from "../json-rewrite.ts";
import { type Defect, settings, spoiled, without } from "./defect.ts";
import { NEVER } from "./order.ts";

const ASKING = "ExtAuthz";
const OBSERVING = "RBAC";
const TOKENS = "JwtAuthentication";
/** In the name of a rule whose authorizer cannot be asked. */
const NOBODY_TO_ASK = "-deny-due-to-bad-CUSTOM-action";

export const REQUEST_DEFECTS: readonly Defect[] = [
  {
    name: "authorizers are not asked",
    spoil: settings(ASKING, (config) => ({
      ...config,
      filterEnabledMetadata: {
        filter: "nobody",
        path: [{ key: "nothing" }],
        value: { stringMatch: { exact: "never" } },
      },
    })),
  },
  {
    name: "authorizers are asked about every request",
    spoil: settings(ASKING, (config) => without(config, "filterEnabledMetadata")),
  },
  {
    name: "what an authorizer is to be asked about is refused",
    spoil: settings(OBSERVING, (config) => enforced(config, "shadowMatcher", "matcher")),
  },
  {
    name: "where an authorizer cannot be asked, nobody is refused",
    spoil: spoiled((value) => {
      const matchers = value["matchers"];
      if (!Array.isArray(matchers)) return value;
      const kept = matchers.filter((one) => !isOfNobody(one));
      if (kept.length === matchers.length) return value;
      return { ...value, matchers: kept.length === 0 ? [NEVER] : kept };
    }),
  },
  {
    name: "policies on trial are in force",
    spoil: settings(OBSERVING, (config) => enforced(config, "shadowRules", "rules")),
  },
  {
    name: "AUDIT refuses",
    spoil: settings(OBSERVING, (config) => {
      const rules = objectAt(config, "rules");
      return rules?.["action"] === "LOG"
        ? { ...config, rules: { ...rules, action: "DENY" } }
        : config;
    }),
  },
  {
    name: "preflights need good tokens",
    spoil: settings(TOKENS, (config) => without(config, "bypassCorsPreflight")),
  },
  {
    name: "tokens that were taken stay in the request",
    spoil: providers((provider) => ({ ...provider, forward: true })),
  },
  {
    name: "tokens never expire",
    spoil: providers((provider) => ({ ...provider, clockSkewSeconds: 2_000_000_000 })),
  },
];

function enforced(config: Json, observed: string, deciding: string): Json {
  const found = config[observed];
  return found === undefined ? config : { ...without(config, observed), [deciding]: found };
}

function isOfNobody(entry: unknown): boolean {
  return isObject(entry) && JSON.stringify(entry["onMatch"] ?? null).includes(NOBODY_TO_ASK);
}

function providers(change: (provider: Json) => Json): Defect["spoil"] {
  return settings(TOKENS, (config) => {
    const changed = Object.entries(objectAt(config, "providers") ?? {}).map(([name, one]) => [
      name,
      isObject(one) ? change(one) : one,
    ]);
    return { ...config, providers: Object.fromEntries(changed) };
  });
}
