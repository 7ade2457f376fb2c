/** Rules that are not asked, or in another order, and what happens where there are none. */
import { isObject, type Json, objectAt } from "../json-rewrite.ts";
import { type Defect, spoiled, without } from "./defect.ts";

export const ORDER_DEFECTS: readonly Defect[] = [
  {
    name: "a DENY rule is dropped",
    spoil: spoiled((value) => {
      const matchers = value["matchers"];
      if (!Array.isArray(matchers)) return value;
      const place = matchers.findLastIndex((one) => isMeant(one, "DENY"));
      return place < 0 ? value : { ...value, matchers: withoutOne(matchers, place) };
    }),
  },
  {
    name: "an ALLOW rule is dropped",
    spoil: spoiled((value) => {
      const matchers = value["matchers"];
      if (!Array.isArray(matchers)) return value;
      const place = matchers.findIndex((one) => isMeant(one, "ALLOW"));
      return place < 0 ? value : { ...value, matchers: withoutOne(matchers, place) };
    }),
  },
  {
    name: "ALLOW is asked before DENY",
    spoil: spoiled((value) => {
      const deny = listOf(value, "DENY");
      const next = objectAt(value, "onNoMatch", "matcher");
      const allow = next && listOf(next, "ALLOW");
      if (deny === undefined || allow === undefined) return value;
      return { matcherList: allow, onNoMatch: { matcher: { matcherList: deny } } };
    }),
  },
  {
    name: "callers with several identities are judged by all of them at once",
    spoil: (translated) => withoutGuard(translated),
  },
  {
    name: "what is found under an identity ends the search",
    spoil: spoiled((value, field) => {
      if (field !== "exactMatchMap") return value;
      const branches = Object.entries(objectAt(value, "map") ?? {}).map(([key, branch]) => {
        const matcher = isObject(branch) ? objectAt(branch, "matcher") : undefined;
        const ended = matcher && { matcher: { ...matcher, onNoMatch: NEVER["onMatch"] } };
        return [key, ended ?? branch];
      });
      return { map: Object.fromEntries(branches) };
    }),
  },
  {
    name: "until its rules arrive a proxy lets everybody in",
    shows: "while rules are withheld",
    spoil: spoiled((value, field) =>
      field === "defaultConfig" ? without(value, "rules", "matcher") : value,
    ),
  },
];

/** A matcher list needs one entry: what asks for nothing is never met. */
export const NEVER: Json = {
  predicate: {
    singlePredicate: {
      input: {
        name: "x",
        typedConfig: {
          "@type":
            "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput",
        },
      },
      valueMatch: { exact: "never" },
    },
  },
  onMatch: {
    action: {
      name: "x",
      typedConfig: {
        "@type": "type.googleapis.com/envoy.config.rbac.v3.Action",
        name: "never",
        action: "DENY",
      },
    },
  },
};

/** Whoever has not one SPIFFE ID alone is judged as anybody. */
export const withoutGuard: Defect["spoil"] = spoiled((value) => {
  const matchers = value["matchers"];
  if (!Array.isArray(matchers) || !matchers.some(isGuard)) return value;
  const kept = matchers.filter((one) => !isGuard(one));
  return { ...value, matchers: kept.length === 0 ? [NEVER] : kept };
});

function withoutOne(matchers: readonly unknown[], place: number): readonly unknown[] {
  return matchers.length === 1 ? [NEVER] : matchers.toSpliced(place, 1);
}

function isMeant(entry: unknown, action: "ALLOW" | "DENY"): boolean {
  if (!isObject(entry) || isGuard(entry)) return false;
  const config = objectAt(entry, "onMatch", "action", "typedConfig");
  return config !== undefined && (config["action"] ?? "ALLOW") === action;
}

/** Of whom no single identity is known. */
function isGuard(entry: unknown): boolean {
  return isObject(entry) && nameOf(entry) === "no-single-spiffe-id";
}

function nameOf(entry: Json): unknown {
  return objectAt(entry, "onMatch", "action", "typedConfig")?.["name"];
}

/** The list of a matcher, where all in it do the same. */
function listOf(matcher: Json, action: "ALLOW" | "DENY"): Json | undefined {
  const list = objectAt(matcher, "matcherList");
  const matchers = list?.["matchers"];
  return Array.isArray(matchers) && matchers.every((one) => isMeant(one, action))
    ? list
    : undefined;
}
