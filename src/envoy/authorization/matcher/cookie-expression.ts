/**
 * Cookies in several lines of HTTP/1, which no client should send (RFC 6265 section 5.4): Envoy joins them with commas, and
 * most applications as HTTP/2 does. What keeps out is met by either reading.
 */
import { parseStringMatch } from "../../../api/string-match.ts";
import { quoteRegex } from "../string-matchers.ts";

/** Between two pieces of what a rule asks for. */
const BETWEEN = "(?:; |[ \\t]*,[ \\t,]*)";
const AROUND = "[ \\t,]*";

/**
 * @param value with a semicolon: others are met by a single line
 * @returns of the whole header (RE2), as `headerAttribute` of the engine reads it
 */
export function cookieExpression(value: string): string {
  const match = parseStringMatch(value);
  if (match.kind === "present") return ".+";
  const pieces = match.text.split(/; ?/).map(quoteRegex).join(BETWEEN);
  switch (match.kind) {
    case "exact":
      return `${AROUND}${pieces}${AROUND}`;
    case "prefix":
      return `${AROUND}${pieces}\\C*`;
    case "suffix":
      return `\\C*${pieces}${AROUND}`;
  }
}
