/** Values of `paths` near to a path: patterns and templates (AP-54, AP-70..AP-74). */
import type { Dice } from "./dice.ts";
import type { TrafficFacts } from "./traffic-facts.ts";
import { type MakeValue, patternOf } from "./value-generator.ts";

const LITERAL = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/;

export const pathValue: MakeValue = (dice, facts) =>
  dice.chance(0.4) ? pathTemplateValue(dice, facts) : pathPatternValue(dice, facts);

export const pathPatternValue: MakeValue = (dice, facts) =>
  withoutBraces(patternOf(dice, pathnameOf(dice, facts)));

/** The webhook is not strict about slashes at the ends (AP-71). */
export const pathTemplateValue: MakeValue = (dice, facts) => {
  const template = templateOf(dice, pathnameOf(dice, facts));
  return dice.chance(0.95)
    ? template
    : dice.pick([`/${template}`, template.slice(1), `${template}/`]);
};

function pathnameOf(dice: Dice, { request }: TrafficFacts): string {
  const path = request?.path ?? dice.pick(["/a", "/a/b", "/a/b/c"]);
  return dice.chance(0.95) ? path.replace(/[?#].*$/, "") : path;
}

/** Some segments become operators; what a template cannot hold always does. */
function templateOf(dice: Dice, pathname: string): string {
  const [, ...segments] = pathname.split("/");
  const end = segments.at(-1) === "" ? "/" : "";
  const inner = (end === "" ? segments : segments.slice(0, -1)).map((segment) =>
    LITERAL.test(segment) && dice.chance(0.6) ? segment : "{*}",
  );
  if (inner.length === 0) return "/{**}";
  if (dice.chance(0.5)) {
    const from = dice.between(0, inner.length - 1);
    const rest = inner.slice(from + dice.between(0, 2)).filter((segment) => segment !== "{*}");
    return `/${[...inner.slice(0, from), "{**}", ...rest].join("/")}${end}`;
  }
  if (!inner.includes("{*}")) inner[dice.between(0, inner.length - 1)] = "{*}";
  return `/${inner.join("/")}${end}`;
}

/** Outside templates braces are refused (AP-71). */
function withoutBraces(pattern: string): string {
  return pattern.replaceAll(/[{}]/g, "");
}
