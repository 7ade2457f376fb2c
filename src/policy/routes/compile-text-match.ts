/** The matcher of one text of a request: made once for each view, called for each request. */
import { linearPattern } from "../../api/linear-pattern.ts";
import type { TextMatch } from "../../api/routing/http-match.ts";

/** @returns undefined where a regular expression takes too long: nothing is known then, and nothing may follow from it */
export type TextTest = (text: string) => boolean | undefined;

export function compileTextMatch(match: TextMatch | "present"): TextTest {
  if (match === "present") return () => true;
  switch (match.kind) {
    case "exact":
      return (text) => text === match.text;
    case "prefix":
      return (text) => text.startsWith(match.text);
    case "pattern":
      return compileWholePattern(match.pattern);
  }
}

/** RE2, of the whole text. One that is not known here matches nothing, and hides what comes after it. */
export function compileWholePattern(pattern: string): TextTest {
  if (pattern === ".*") return (text) => !text.includes("\n");
  const compiled = linearPattern(`^(?:${pattern})$`);
  return typeof compiled === "string" ? () => undefined : compiled;
}
