/** Path templates in Envoy (AP-70..AP-74): as its URI template where a match lets in, as an expression where it keeps out (AP-72). */
import { quoteRegex } from "./string-matchers.ts";

const ONE_SEGMENT = "{*}";
const ANY_REST = "{**}";

/** envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig */
export function uriTemplate(template: string): string {
  return template.replaceAll(ANY_REST, "**").replaceAll(ONE_SEGMENT, "*");
}

/** What an operator may stand for in Envoy: no `*`, no `=`, nothing beyond ASCII. */
const ENVOY_BYTES = "a-zA-Z0-9\\-._~%!$&'()+,;:@";

/** Of a path without its query (RE2). @param reach which bytes the operators stand for, as in `compilePathTemplate` */
export function templateRegex(template: string, reach: "any-byte" | "envoy-bytes"): string {
  const segment = reach === "any-byte" ? "[^/?]+" : `[${ENVOY_BYTES}]+`;
  const rest = reach === "any-byte" ? "[^?]*" : `[${ENVOY_BYTES}/]*`;
  return template
    .split("/")
    .map((part) => (part === ONE_SEGMENT ? segment : part === ANY_REST ? rest : quoteRegex(part)))
    .join("/");
}
