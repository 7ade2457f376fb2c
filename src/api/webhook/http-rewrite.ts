/** `rewrite` of an HTTP route: the path or the authority that the destination sees. */
import type { Fields } from "../decoder.ts";
import { controlCharacterProblem } from "./control-character.ts";
import { checkRegexp } from "./string-match.ts";
import { isGiven, textIn } from "./written-values.ts";

export function checkRewrite(route: Fields): void {
  if (!route.has("rewrite")) return;
  const rewrite = route.section("rewrite");
  const byPattern = rewrite.has("uriRegexRewrite");
  if (isGiven(rewrite, "uri") && byPattern) {
    rewrite.report("uriRegexRewrite", "must not be given together with uri");
  }
  if (!isGiven(rewrite, "uri") && !byPattern && !isGiven(rewrite, "authority")) {
    route.report("rewrite", "must have uri, uriRegexRewrite or authority");
  }
  for (const name of ["uri", "authority"]) {
    const problem = controlCharacterProblem(textIn(rewrite, name));
    if (problem !== undefined) rewrite.report(name, problem);
  }
  if (byPattern) checkPatternRewrite(rewrite.section("uriRegexRewrite"));
}

function checkPatternRewrite(rewrite: Fields): void {
  const missing = ["match", "rewrite"].filter((name) => !isGiven(rewrite, name));
  for (const name of missing) rewrite.report(name, "is missing; uriRegexRewrite needs it");
  if (missing.length === 0) checkRegexp(rewrite, "match");
}
