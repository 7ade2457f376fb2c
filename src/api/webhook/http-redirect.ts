/** What answers a request in place of a destination: `redirect` and `directResponse`. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { controlCharacterProblem } from "./control-character.ts";
import { httpStatusProblem } from "./http-status.ts";
import { portNumberProblem } from "./port.ts";
import { isGiven, numberIn, textIn } from "./written-values.ts";

export function checkRedirect(route: Fields): void {
  if (!route.has("redirect")) return;
  const redirect = route.section("redirect");
  const targets = ["uri", "prefixRewrite", "authority", "scheme", "port", "derivePort"];
  if (targets.every((name) => !isGiven(redirect, name))) {
    route.report("redirect", "must have uri, prefixRewrite, authority, scheme or port");
  }
  checkPrefixRewrite(route, redirect);
  for (const name of ["uri", "prefixRewrite", "authority"]) {
    const problem = controlCharacterProblem(textIn(redirect, name));
    if (problem !== undefined) redirect.report(name, problem);
  }
  const code = numberIn(redirect, "redirectCode");
  if (code !== 0 && (code < 300 || code > 399)) {
    redirect.report("redirectCode", `is ${code}; expected 300 to 399`);
  }
  const scheme = textIn(redirect, "scheme");
  if (!["", "http", "https"].includes(scheme)) {
    redirect.report("scheme", `is ${quoted(scheme)}; expected http or https`);
  }
  const port = numberIn(redirect, "port");
  const problem = port === 0 ? undefined : portNumberProblem(port);
  if (problem !== undefined) redirect.report("port", problem);
}

/** Only of what was matched by a prefix can the prefix be replaced. */
function checkPrefixRewrite(route: Fields, redirect: Fields): void {
  if (!isGiven(redirect, "prefixRewrite")) return;
  if (isGiven(redirect, "uri")) {
    redirect.report("prefixRewrite", "must not be given together with uri");
  }
  const other = route
    .list("match")
    .some((match) => match.has("uri") && !match.section("uri").has("prefix"));
  if (other) redirect.report("prefixRewrite", "needs every uri of match to be a prefix");
}

const LARGEST_BODY = 1024 * 1024;
const LARGE_BODY = 100 * 1024;

export function checkDirectResponse(route: Fields): void {
  if (!route.has("directResponse")) return;
  const response = route.section("directResponse");
  const size = bodySize(response.section("body"));
  if (size > LARGEST_BODY) response.report("body", `has ${size} bytes; at most ${LARGEST_BODY}`);
  else if (size > LARGE_BODY) {
    response.notice("body", `has ${size} bytes, which may slow down the control plane`);
  }
  const problem = httpStatusProblem(numberIn(response, "status"));
  if (problem !== undefined) response.report("status", problem);
}

function bodySize(body: Fields): number {
  return body.has("string")
    ? Buffer.byteLength(textIn(body, "string"))
    : Buffer.from(textIn(body, "bytes"), "base64").length;
}
