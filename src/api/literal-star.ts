/** Values with a `*` where it is no wildcard but stands for itself (AP-42). */
import { isPathTemplate, pathProblem } from "./path-template.ts";
import { quoted } from "./quoted.ts";
import { parseStringMatch } from "./string-match.ts";

/** Fields and keys whose values may have one `*`, at one end; here `namespaces` may have more (AP-90). In headers a `*` is common. */
const PATTERNS: ReadonlySet<string> = new Set([
  "principals",
  "requestPrincipals",
  "hosts",
  "methods",
  "paths",
  "source.principal",
  "request.auth.principal",
  "connection.sni",
]);

/**
 * @param field without `not`, or a key of `when`
 * @returns undefined where every `*` is a wildcard
 */
export function literalStarAdvice(field: string, value: string): string | undefined {
  if (!PATTERNS.has(field) || (field === "paths" && isPathTemplate(value))) return undefined;
  const match = parseStringMatch(value);
  if (match.kind === "present" || !match.text.includes("*")) return undefined;
  const [what, hint] =
    field === "paths"
      ? ["paths that have a * there", pathHint(value)]
      : ["what has a * there", "write one * at the start or at the end"];
  return `${quoted(value)} has a * elsewhere than at one end, which stands for itself (AP-42), so it matches only ${what}; ${hint}`;
}

/** AP-70 */
function pathHint(path: string): string {
  const template = path
    .split("/")
    .map((segment) => (/^\*\*?$/.test(segment) ? `{${segment}}` : segment))
    .join("/");
  const isMeant =
    template.startsWith("/") &&
    !/(?<!\{|\{\*)\*/.test(template) &&
    pathProblem(template) === undefined;
  return isMeant ? `did you mean ${template}?` : "write {*} for one whole segment";
}
