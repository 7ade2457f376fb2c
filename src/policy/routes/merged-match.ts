/** A match of a delegate, narrowed to one of the route that delegates. Source: as `delegated-rules.ts` */
import type {
  ClaimMatch,
  HttpMatch,
  NamedMatch,
  PathMatch,
  TextMatch,
} from "../../api/routing/http-match.ts";
import type { HttpRuleMatch, MatchedClients } from "../../api/virtual-service.ts";

/** @returns "conflict" where what the delegate's is for is not within the root's */
export function mergedMatch(root: HttpRuleMatch, leaf: HttpRuleMatch): HttpRuleMatch | "conflict" {
  if (conflicts(root.condition, leaf.condition) || clientsConflict(root.clients, leaf.clients)) {
    return "conflict";
  }
  const [one, other] = [root.condition, leaf.condition];
  const headers = merged(one.headers, other.headers);
  const queryParams = merged(one.queryParams, other.queryParams);
  return {
    name:
      root.name !== "" && leaf.name !== "" ? `${root.name}-${leaf.name}` : leaf.name || root.name,
    clients: mergedClients(root.clients, leaf.clients),
    condition: {
      ...one,
      ...other,
      ...(headers.length > 0 && { headers }),
      ...(queryParams.length > 0 && { queryParams }),
      ...mergedClaims(one.claims, other.claims),
    },
  };
}

function conflicts(root: HttpMatch, leaf: HttpMatch): boolean {
  return (
    pathConflicts(root.path, leaf.path) ||
    textConflicts(root.scheme, leaf.scheme) ||
    textConflicts(root.method, leaf.method) ||
    textConflicts(root.authority, leaf.authority) ||
    namedConflicts(root.headers, leaf.headers) ||
    namedConflicts(root.queryParams, leaf.queryParams) ||
    claimsConflict(root.claims, leaf.claims) ||
    (root.port !== undefined && leaf.port !== undefined && root.port !== leaf.port)
  );
}

function pathConflicts(root: PathMatch | undefined, leaf: PathMatch | undefined): boolean {
  if (root === undefined || leaf === undefined) return false;
  if (caseOf(root) !== caseOf(leaf)) return true;
  return textConflicts(asText(root), asText(leaf));
}

function caseOf(path: PathMatch): string | undefined {
  return path.kind === "pattern" ? undefined : path.letterCase;
}

function asText(path: PathMatch): TextMatch {
  if (path.kind === "pattern") return path;
  return { kind: path.kind === "exact" ? "exact" : "prefix", text: path.path };
}

type Value = TextMatch | "present";

/** A regular expression is within nothing, and nothing within it. */
function textConflicts(root: Value | undefined, leaf: Value | undefined): boolean {
  if (root === undefined || leaf === undefined || root === "present") return false;
  if (leaf === "present" || root.kind === "pattern" || leaf.kind === "pattern") return true;
  if (root.kind === "exact") return leaf.kind !== "exact" || leaf.text !== root.text;
  return !leaf.text.startsWith(root.text);
}

function namedConflicts(
  roots: readonly NamedMatch[] = [],
  leaves: readonly NamedMatch[] = [],
): boolean {
  return leaves.some((leaf) =>
    roots.some((root) => isSame(root, leaf) && textConflicts(root.value, leaf.value)),
  );
}

function isSame(one: NamedMatch, other: NamedMatch): boolean {
  return one.name === other.name && one.not === other.not;
}

/** What the delegate says of a name counts. */
function merged(
  roots: readonly NamedMatch[] = [],
  leaves: readonly NamedMatch[] = [],
): readonly NamedMatch[] {
  return [...roots.filter((root) => !leaves.some((leaf) => isSame(root, leaf))), ...leaves];
}

function isSameClaim(one: ClaimMatch, other: ClaimMatch): boolean {
  return one.not === other.not && one.claim.join("\n") === other.claim.join("\n");
}

function claimsConflict(
  roots: readonly ClaimMatch[] = [],
  leaves: readonly ClaimMatch[] = [],
): boolean {
  return leaves.some((leaf) =>
    roots.some((root) => isSameClaim(root, leaf) && textConflicts(root.value, leaf.value)),
  );
}

function mergedClaims(
  roots: readonly ClaimMatch[] = [],
  leaves: readonly ClaimMatch[] = [],
): Pick<HttpMatch, "claims"> {
  const kept = roots.filter((root) => !leaves.some((leaf) => isSameClaim(root, leaf)));
  const claims = [...kept, ...leaves];
  return claims.length === 0 ? {} : { claims };
}

function clientsConflict(root: MatchedClients, leaf: MatchedClients): boolean {
  if (root.sourceNamespace !== "" && leaf.sourceNamespace !== root.sourceNamespace) return true;
  const labels = Object.entries(leaf.sourceLabels);
  const other = labels.some(
    ([key, value]) => Object.hasOwn(root.sourceLabels, key) && root.sourceLabels[key] !== value,
  );
  if (other) return true;
  if (root.gateways.length === 0) return false;
  return leaf.gateways.some((name) => !root.gateways.includes(name));
}

function mergedClients(root: MatchedClients, leaf: MatchedClients): MatchedClients {
  return {
    gateways: leaf.gateways.length > 0 ? leaf.gateways : root.gateways,
    sourceLabels: { ...root.sourceLabels, ...leaf.sourceLabels },
    sourceNamespace: leaf.sourceNamespace || root.sourceNamespace,
  };
}
