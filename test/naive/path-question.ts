/** Questions about paths, and the templates of paths (AP-54, AP-55, AP-57, AP-70..AP-74). */
import { type Asked, ofRequest, type Question } from "./asked.ts";
import { literally, matchesText } from "./text-pattern.ts";

/** AP-54: without query and fragment; a request without path has none to match (AP-57). */
export const askPath: Question = ofRequest((value, { path }, asked) => {
  const hasOperator = value.includes("{*}") || value.includes("{**}");
  const pattern = hasOperator ? templatePattern(value, asked) : undefined;
  if (hasOperator && pattern === undefined) return "untranslatable";
  if (path === undefined) return false;
  const pathname = path.replace(/[?#].*$/s, "");
  return pattern === undefined ? matchesText(value, pathname) : pattern.test(pathname);
});

/** Which bytes an operator takes (AP-72): Envoy's, unless what they leave out would get round a refusal. */
const CLASSES: Readonly<Record<Asked["purpose"], { readonly one: string; readonly any: string }>> =
  {
    "let in": { one: "[a-zA-Z0-9\\-._~%!$&'()+,;:@]", any: "[a-zA-Z0-9\\-._~%!$&'()+,;:@/]" },
    "keep out": { one: "[^/]", any: "[^]" },
  };

/** AP-71 */
const LITERAL = /^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/;

/** @returns undefined for what is no template (AP-70, AP-71) */
function templatePattern(template: string, { purpose }: Asked): RegExp | undefined {
  if (!isTemplate(template)) return undefined;
  const { one, any } = CLASSES[purpose];
  const segments = template.split("/").map((segment) => {
    if (segment === "{*}") return `${one}+`;
    return segment === "{**}" ? `${any}*` : literally(segment);
  });
  return new RegExp(`^${segments.join("/")}$`);
}

/** Slashes at the ends are no segments; in between no segment is empty. */
function isTemplate(template: string): boolean {
  const segments = template.replace(/^\/+|\/+$/g, "").split("/");
  const any = segments.indexOf("{**}");
  const isLast = any < 0 || !segments.slice(any + 1).some((segment) => segment.startsWith("{"));
  const isOperator = (segment: string): boolean => segment === "{*}" || segment === "{**}";
  return isLast && segments.every((segment) => isOperator(segment) || LITERAL.test(segment));
}
