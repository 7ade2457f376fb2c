/** Texts of a request as Envoy compares them. */
import type { TextMatch } from "../../api/routing/http-match.ts";

/** envoy.type.matcher.v3.StringMatcher */
export type StringMatcher =
  | { readonly exact: string; readonly ignoreCase?: true }
  | { readonly prefix: string }
  | { readonly safeRegex: { readonly regex: string } };

export function stringMatcher(match: TextMatch): StringMatcher {
  switch (match.kind) {
    case "exact":
      return { exact: match.text };
    case "prefix":
      return { prefix: match.text };
    case "pattern":
      return { safeRegex: { regex: match.pattern } };
  }
}

/** envoy.config.route.v3.HeaderMatcher. What a request must not have is taken for empty where it is absent. */
export function headerMatcher(name: string, value: TextMatch | "present", not = false): object {
  if (value === "present") return { name, presentMatch: true, ...(not && { invertMatch: true }) };
  return {
    name,
    // Envoy refuses an empty prefix, which anything begins with.
    ...(value.kind === "prefix" && value.text === ""
      ? { presentMatch: true }
      : { stringMatch: stringMatcher(value) }),
    ...(not && { invertMatch: true, treatMissingHeaderAsEmpty: true }),
  };
}

/** A text of RE2 that matches nothing but this text. */
export function literalPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
