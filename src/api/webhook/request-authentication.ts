/** What istiod's webhook demands of a RequestAuthentication, and what it warns of (VAL-40..VAL-47). */
import type { Fields } from "../decoder.ts";
import { readKeySet } from "../json-web-key-set.ts";
import { jwksUriProblem } from "../jwks-uri.ts";
import { checkWorkloadSelector } from "../label-selector.ts";
import { quoted } from "../quoted.ts";
import { jwksUriOf } from "../request-authentication.ts";
import { checkTargetRefs } from "../target-refs.ts";
import { checkDuration } from "./duration.ts";
import type { WebhookRequest } from "./webhook.ts";
import { textIn, textsIn } from "./written-values.ts";

const HEADER_NAME = /^[-_A-Za-z0-9]+$/;

export function validateRequestAuthentication({ spec }: WebhookRequest): void {
  checkTargetRefs(spec);
  checkWorkloadSelector(spec);
  for (const rule of spec.list("jwtRules")) checkJwtRule(rule);
}

function checkJwtRule(rule: Fields): void {
  if (textIn(rule, "issuer") === "" && jwksUriOf(rule) === "") {
    rule.report("issuer", "is missing: a rule needs issuer or jwksUri");
  }
  for (const name of ["audiences", "fromParams", "fromCookies"]) refuseEmptyItems(rule, name);
  checkKeys(rule);
  for (const header of rule.list("fromHeaders")) {
    if (textIn(header, "name") === "") header.report("name", "is missing: a header needs a name");
  }
  for (const output of rule.list("outputClaimToHeaders")) checkOutput(output);
  checkDuration(rule, "timeout");
}

/** VAL-41, VAL-45 */
function refuseEmptyItems(rule: Fields, name: string): void {
  for (const [item, text] of textsIn(rule, name).entries()) {
    if (text === "") rule.report({ name, item }, "must not be an empty value");
  }
}

/** VAL-42, VAL-43 */
function checkKeys(rule: Fields): void {
  const uri = jwksUriOf(rule);
  const problem = uri === "" ? undefined : jwksUriProblem(uri);
  if (problem !== undefined) rule.report(rule.has("jwksUri") ? "jwksUri" : "jwks_uri", problem);
  const jwks = textIn(rule, "jwks");
  if (jwks === "") return;
  const keys = readKeySet(jwks);
  if (typeof keys === "string") rule.report("jwks", keys);
  else tellPrivateKeys(rule, keys.privateKeys);
}

/** VAL-44 */
function tellPrivateKeys(rule: Fields, indexes: readonly number[]): void {
  for (const index of indexes) {
    rule.notice(
      "jwks",
      `key ${index} holds what only a signer may know; verifying needs public keys`,
    );
  }
}

/** VAL-46 */
function checkOutput(output: Fields): void {
  const missing = ["header", "claim"].filter((name) => textIn(output, name) === "");
  for (const name of missing) output.report(name, "is missing: it must not be empty");
  const header = textIn(output, "header");
  if (missing.length === 0 && !HEADER_NAME.test(header)) {
    output.report(
      "header",
      `${quoted(header)} is not the name of a header: letters, digits, "-" and "_"`,
    );
  }
}
