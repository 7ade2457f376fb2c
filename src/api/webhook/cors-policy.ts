/** `corsPolicy` of an HTTP route: what browsers may ask from other origins. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkDuration, parseDuration } from "./duration.ts";
import { corsHeaderProblem } from "./header-name.ts";
import { checkRegexp } from "./string-match.ts";
import { textIn, textsIn } from "./written-values.ts";

const METHODS = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"],
  "*",
];

export function checkCorsPolicy(policy: Fields): void {
  for (const origin of policy.list("allowOrigins")) checkOrigin(origin);
  for (const [item, method] of textsIn(policy, "allowMethods").entries()) {
    if (METHODS.includes(method)) continue;
    const problem = `${quoted(method)} is not a method; expected one of ${METHODS.join(", ")}`;
    policy.report({ name: "allowMethods", item }, problem);
  }
  for (const name of ["allowHeaders", "exposeHeaders"]) checkHeaders(policy, name);
  checkDuration(policy, "maxAge");
  if ((parseDuration(textIn(policy, "maxAge")) ?? 0) % 1e9 > 0) {
    policy.report("maxAge", "must be a whole number of seconds");
  }
}

function checkOrigin(origin: Fields): void {
  const forms = ["exact", "prefix", "regex"];
  if (forms.every((form) => textIn(origin, form) === "")) {
    origin.reportHere("must have exact, prefix or regex, and not be empty");
  } else checkRegexp(origin, "regex");
}

function checkHeaders(policy: Fields, field: string): void {
  for (const [item, name] of textsIn(policy, field).entries()) {
    const problem = corsHeaderProblem(name);
    if (problem !== undefined) policy.report({ name: field, item }, problem);
  }
}
