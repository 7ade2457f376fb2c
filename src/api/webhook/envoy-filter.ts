/** What istiod's webhook demands of an EnvoyFilter, and what it warns of. */
import type { Fields } from "../decoder.ts";
import { checkPatchMatch } from "./envoy-filter-match.ts";
import { checkPatchValue } from "./envoy-filter-value.ts";
import { regexpProblem } from "./go-regexp.ts";
import { checkNetworkingSelector } from "./networking-selector.ts";
import type { WebhookRequest } from "./webhook.ts";
import { textIn } from "./written-values.ts";

/** In bytes. */
const LONGEST_VERSION = 1024;

export function validateEnvoyFilter({ spec }: WebhookRequest): void {
  if (checkNetworkingSelector(spec) === "refused") return;
  spec.noticeHere("changes what Envoy is told, which any upgrade may break; prefer another kind");
  for (const patch of spec.list("configPatches")) checkConfigPatch(patch);
}

/** Each step judges only what the one before has found good, as istiod does. */
function checkConfigPatch(configPatch: Fields): void {
  // Istio does not judge patches of waypoints.
  if (textIn(configPatch.section("match"), "context") === "WAYPOINT") return;
  if (!isComplete(configPatch) || !isVersionGood(configPatch)) return;
  if (checkPatchMatch(configPatch) === "refused") return;
  checkPatchValue(configPatch);
}

function isComplete(configPatch: Fields): boolean {
  if (isUnset(configPatch, "applyTo")) {
    configPatch.report("applyTo", "is missing");
    return false;
  }
  if (!configPatch.has("patch")) {
    configPatch.report("patch", "is missing");
    return false;
  }
  const patch = configPatch.section("patch");
  if (isUnset(patch, "operation")) {
    patch.report("operation", "is missing");
    return false;
  }
  if (textIn(patch, "operation") === "REMOVE" || patch.has("value")) return true;
  patch.report("value", "is missing; only the operation REMOVE does without");
  return false;
}

/** "INVALID" is how protobuf names an enumeration that is not set. */
function isUnset(fields: Fields, name: string): boolean {
  return ["", "INVALID"].includes(textIn(fields, name));
}

function isVersionGood(configPatch: Fields): boolean {
  const proxy = configPatch.section("match").section("proxy");
  const version = textIn(proxy, "proxyVersion");
  if (version === "") return true;
  if (Buffer.byteLength(version) > LONGEST_VERSION) {
    proxy.notice("proxyVersion", `is longer than ${LONGEST_VERSION} bytes, and is ignored`);
    return true;
  }
  const problem = regexpProblem(version);
  if (problem !== undefined) proxy.report("proxyVersion", problem);
  return problem === undefined;
}
