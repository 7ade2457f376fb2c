/** Values of rules that are compared otherwise than Istio does. */
import { type Json, objectAt } from "../json-rewrite.ts";
import {
  type Defect,
  HEADER,
  looksAt,
  regexes,
  regexMatch,
  spoiled,
  texts,
  URI_SAN,
} from "./defect.ts";

const isPath = (predicate: Json): boolean => looksAt(predicate, HEADER, ":path");
const isIdentity = (predicate: Json): boolean => looksAt(predicate, URI_SAN);
const isPlainHeader = (predicate: Json): boolean =>
  looksAt(predicate, HEADER) &&
  !String(objectAt(predicate, "input", "typedConfig")?.["headerName"]).startsWith(":");

/** What is one thing in Istio's words is another in Envoy's. */
export const MATCHING_DEFECTS: readonly Defect[] = [
  {
    name: "what is excluded (notX) is forgotten",
    spoil: spoiled((value) => {
      const excluded = objectAt(value, "notMatcher");
      return excluded === undefined
        ? value
        : { orMatcher: { predicate: [excluded, { notMatcher: excluded }] } };
    }),
  },
  {
    name: "what is excluded (notX) is demanded",
    spoil: spoiled((value) => objectAt(value, "notMatcher") ?? value),
  },
  {
    name: "all of several values are demanded, not one",
    spoil: spoiled((value) => {
      const { orMatcher, ...rest } = value;
      return orMatcher === undefined ? value : { ...rest, andMatcher: orMatcher };
    }),
  },
  {
    name: "one of several conditions is enough",
    spoil: spoiled((value) => {
      const { andMatcher, ...rest } = value;
      return andMatcher === undefined ? value : { ...rest, orMatcher: andMatcher };
    }),
  },
  {
    name: "a path is compared with its query",
    spoil: (translated) => withQuerySuffix(withQueryExact(translated)),
  },
  {
    name: "a path matches exactly where a prefix is meant",
    spoil: texts(
      ({ prefix, ...match }) =>
        typeof prefix === "string" && !prefix.endsWith("?")
          ? { ...match, exact: prefix }
          : same(prefix, match),
      isPath,
    ),
  },
  {
    name: "one segment of a template stands for several",
    spoil: regexes(
      (regex) => regex.replaceAll("[^/?]+", "[^?]+").replaceAll("'()+,;:@]+", "'()+,;:@/]+"),
      isPath,
    ),
  },
  {
    name: "headers of one name are compared joined",
    spoil: regexes(
      (regex) => regex.replace("(?:\\C*,)?[ \\t]*", "").replace("[ \\t]*(?:,\\C*)?", ""),
      isPlainHeader,
    ),
  },
  {
    name: "methods are compared without regard to case",
    spoil: texts(
      (match) => (match["ignoreCase"] === true ? match : { ...match, ignoreCase: true }),
      (predicate) => looksAt(predicate, HEADER, ":method"),
    ),
  },
  {
    name: "hosts are compared with regard to case",
    spoil: texts(
      ({ ignoreCase, ...match }) =>
        ignoreCase === true ? match : same(ignoreCase, match, "ignoreCase"),
      (predicate) => looksAt(predicate, HEADER, ":authority"),
    ),
  },
  {
    name: "a dot in an expression stands for any character",
    spoil: regexes((regex) => (regex.includes("/ns/") ? undotted(regex) : regex), isIdentity),
  },
  {
    name: "an identity matches by its beginning",
    spoil: (translated) => foundByBeginning(comparedByBeginning(translated)),
  },
  {
    name: "a namespace matches by its beginning",
    spoil: (translated) => foundWithoutSlash(comparedWithoutSlash(translated)),
  },
  {
    name: "ports are not looked at",
    spoil: texts(
      (match) => (typeof match["exact"] === "string" ? regexMatch(".*") : match),
      (predicate) => looksAt(predicate, "DestinationPortInput"),
    ),
  },
  {
    name: "the peer's address and the one that headers tell are confused",
    spoil: spoiled((value) => {
      const type = String(value["@type"]);
      const swapped = type.endsWith(".DirectSourceIPInput")
        ? type.replace(".DirectSourceIPInput", ".SourceIPInput")
        : type.replace(".SourceIPInput", ".DirectSourceIPInput");
      return type === swapped ? value : { ...value, "@type": swapped };
    }),
  },
  {
    name: "the length of an address range is not looked at",
    spoil: spoiled((value, field) => {
      if (field !== "cidrRanges" || typeof value["addressPrefix"] !== "string") return value;
      const length = value["addressPrefix"].includes(":") ? 128 : 32;
      return value["prefixLen"] === length ? value : { ...value, prefixLen: length };
    }),
  },
];

/** What a rest of a pattern was taken from, unless there was nothing to take. */
function same(taken: unknown, rest: Json, name = "prefix"): Json {
  return taken === undefined ? rest : { ...rest, [name]: taken };
}

const withQueryExact = spoiled((value) => {
  const { prefix } = objectAt(value, "valueMatch") ?? {};
  if (!isPath(value) || typeof prefix !== "string" || !prefix.endsWith("?")) return value;
  return { ...value, valueMatch: { exact: prefix.slice(0, -1) } };
});

const withQuerySuffix = regexes(
  (regex) => regex.replace(/^\[\^\?\]\*/, "\\C*").replace(/\(\?:\\\?\\C\*\)\?$/, ""),
  isPath,
);

/** What tells whether an identity has the form of ours is left as it is. */
function undotted(regex: string): string {
  return regex.includes("(?:") ? regex : regex.replaceAll("\\.", ".");
}

const comparedByBeginning = texts(({ exact, ...match }) => {
  return typeof exact === "string" ? { ...match, prefix: exact } : same(exact, match, "exact");
}, isIdentity);

const foundByBeginning = spoiled((value) => {
  const { exactMatchMap, ...rest } = value;
  return exactMatchMap === undefined || !isIdentity(value)
    ? value
    : { ...rest, prefixMatchMap: exactMatchMap };
});

const comparedWithoutSlash = regexes(
  (regex) => regex.replace(/^(\.\*\/ns\/.*[^*])\/\.\*$/, "$1.*"),
  isIdentity,
);

const foundWithoutSlash = spoiled((value) => {
  const map = objectAt(value, "prefixMatchMap", "map");
  if (map === undefined || !isIdentity(value)) return value;
  const cut = Object.entries(map).map(([key, branch]) => [key.replace(/\/$/, ""), branch]);
  return { ...value, prefixMatchMap: { map: Object.fromEntries(cut) } };
});
