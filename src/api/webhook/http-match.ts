/** `match` of an HTTP route: what a request must be like. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import { matchedHeaderProblem } from "./header-name.ts";
import { isDnsLabel } from "./host-name.ts";
import { portNumberProblem } from "./port.ts";
import { checkRegexp, checkStringMatch } from "./string-match.ts";
import { checkLabels } from "./workload-labels.ts";
import { numberIn, textIn } from "./written-values.ts";

export function checkHttpMatch(match: Fields): void {
  checkHeaders(match);
  // A path may begin with nothing, other than what follows.
  checkRegexp(match.section("uri"), "regex");
  for (const name of ["scheme", "method", "authority"]) checkStringMatch(match, name);
  const parameters = match.section("queryParams");
  for (const name of parameters.names()) {
    if (name === "") parameters.report(name, "must not be an empty name");
    checkStringMatch(parameters, name);
  }
  checkTraffic(match);
  checkGatewayNames(match, { warnings: "dropped", names: "judged" });
  const namespace = textIn(match, "sourceNamespace");
  if (namespace !== "" && !isDnsLabel(namespace)) {
    match.report("sourceNamespace", `${quoted(namespace)} is not the name of a namespace`);
  }
}

/** What all matches of routes have in common: port and callers. */
export function checkTraffic(match: Fields): void {
  const port = numberIn(match, "port");
  const problem = port === 0 ? undefined : portNumberProblem(port);
  if (problem !== undefined) match.report("port", problem);
  checkLabels(match, "sourceLabels");
}

function checkHeaders(match: Fields): void {
  const headers = match.section("headers");
  for (const name of headers.names()) {
    checkHeaderName(headers, name);
    if (!headers.has(name)) headers.report(name, "must not be null; expected a string match");
    else checkStringMatch(headers, name);
  }
  const excluded = match.section("withoutHeaders");
  for (const name of excluded.names()) {
    checkHeaderName(excluded, name);
    // A lone "*" means presence here, and is no regular expression.
    if (textIn(excluded.section(name), "regex") !== "*") checkStringMatch(excluded, name);
  }
}

function checkHeaderName(headers: Fields, name: string): void {
  const problem = matchedHeaderProblem(name);
  if (problem !== undefined) headers.report(name, problem);
}
