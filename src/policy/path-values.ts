/** How rules name paths, and how the path of a request is read (AP-54, AP-55, AP-70..AP-74). */
import { compilePathTemplate, isPathTemplate, pathProblem } from "../api/path-template.ts";
import { compileStringMatches } from "../api/string-match.ts";
import { stringPatterns, type TextPattern, templatePattern } from "./text-lookup.ts";
import type { PolicyContext, Traffic } from "./traffic-attribute.ts";

/** Every rule asks for the same path: the last one read is kept. */
let lastRead = { path: "", pathname: "" };

/** AP-54, AP-73: what follows `?` or `#` is not asked about. */
export function readPathname({ path }: Traffic): string | undefined {
  if (path === undefined) return undefined;
  if (path !== lastRead.path) lastRead = { path, pathname: path.slice(0, endOfPathname(path)) };
  return lastRead.pathname;
}

function endOfPathname(path: string): number {
  const query = path.indexOf("?");
  const fragment = path.indexOf("#");
  if (query < 0) return fragment < 0 ? path.length : fragment;
  return fragment < 0 ? query : Math.min(query, fragment);
}

/** Where rules stand that name paths. */
export function pathPatterns(values: readonly string[]): readonly TextPattern[] | undefined {
  const plain = stringPatterns(values.filter((value) => !isPathTemplate(value)));
  return plain && [...plain, ...values.filter(isPathTemplate).map(templatePattern)];
}

/** @returns undefined when a template cannot be read (AP-36) */
export function compilePaths(
  values: readonly string[],
  { matching }: PolicyContext,
): ((path: string) => boolean) | undefined {
  const templates = values.filter(isPathTemplate);
  if (templates.some((template) => pathProblem(template) !== undefined)) return undefined;
  const plain = compileStringMatches(values.filter((value) => !isPathTemplate(value)));
  if (templates.length === 0) return plain;
  const reach = matching === "lets-in" ? "envoy-bytes" : "any-byte";
  const matchers = [plain, ...templates.map((one) => compilePathTemplate(one, { reach }))];
  return (path) => matchers.some((matches) => matches(path));
}
