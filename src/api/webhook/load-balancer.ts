/** `loadBalancer` of a traffic policy: which endpoint is next. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { controlCharacterProblem } from "./control-character.ts";
import { checkDuration } from "./duration.ts";
import {
  checkLocalityLoadBalancing,
  checkZoneAwareLoadBalancing,
} from "./locality-load-balancing.ts";
import type { Warnings } from "./warnings.ts";
import { numberIn, textIn } from "./written-values.ts";

const MAGLEV_TABLE_LIMIT = 5_000_011;

export function checkLoadBalancer(policy: Fields, warnings: Warnings): void {
  const settings = policy.section("loadBalancer");
  checkConsistentHash(settings.section("consistentHash"), warnings);
  checkLocality(settings, {
    outlierDetection: policy.has("outlierDetection") ? "given" : "absent",
    warnings,
  });
  if (settings.has("warmup")) checkWarmup(settings.section("warmup"));
}

function checkLocality(
  settings: Fields,
  surroundings: Parameters<typeof checkLocalityLoadBalancing>[1],
): void {
  if (settings.has("localityLbSetting") && settings.has("zoneAwareLbSetting")) {
    settings.report("zoneAwareLbSetting", "must not be given together with localityLbSetting");
  }
  checkLocalityLoadBalancing(settings.section("localityLbSetting"), surroundings);
  checkZoneAwareLoadBalancing(settings.section("zoneAwareLbSetting"), surroundings);
}

function checkConsistentHash(hash: Fields, warnings: Warnings): void {
  if (hash.has("httpCookie")) checkCookie(hash.section("httpCookie"));
  const problem = controlCharacterProblem(textIn(hash, "httpHeaderName"));
  if (problem !== undefined) hash.report("httpHeaderName", problem);
  if (numberIn(hash, "minimumRingSize") !== 0) {
    if (warnings === "passed on") {
      hash.notice("minimumRingSize", "is deprecated; use ringHash.minimumRingSize");
    }
    for (const name of ["ringHash", "maglev"]) {
      if (hash.has(name)) hash.report(name, "must not be given together with minimumRingSize");
    }
  }
  if (hash.has("maglev")) checkMaglev(hash.section("maglev"));
}

function checkCookie(cookie: Fields): void {
  if (textIn(cookie, "name") === "") cookie.report("name", "is missing; httpCookie needs it");
  const names = new Set<string>();
  for (const attribute of cookie.list("attributes")) {
    const name = textIn(attribute, "name");
    if (name === "") attribute.report("name", "must not be empty");
    else if (names.has(name)) attribute.report("name", `${quoted(name)} is given twice`);
    names.add(name);
  }
}

function checkMaglev(maglev: Fields): void {
  const size = numberIn(maglev, "tableSize");
  if (size === 0) maglev.report("tableSize", "is missing; maglev needs it");
  else if (size >= MAGLEV_TABLE_LIMIT) {
    maglev.report("tableSize", `is ${size}; must be less than ${MAGLEV_TABLE_LIMIT}`);
  } else if (!isPrime(size)) maglev.report("tableSize", `is ${size}; must be a prime number`);
}

/** Envoy's notion: 1 counts as one. */
function isPrime(value: number): boolean {
  if (value > 0 && value < 4) return true;
  if (value % 2 === 0) return false;
  for (let factor = 3; factor * factor <= value; factor += 2) {
    if (value % factor === 0) return false;
  }
  return true;
}

function checkWarmup(warmup: Fields): void {
  if (!warmup.has("duration")) warmup.report("duration", "is missing; warmup needs it");
  checkDuration(warmup, "duration");
  if (numberIn(warmup, "minimumPercent") > 100) {
    warmup.report(
      "minimumPercent",
      `is ${numberIn(warmup, "minimumPercent")}; must be at most 100`,
    );
  }
  if (warmup.has("aggression") && numberIn(warmup, "aggression") <= 0) {
    warmup.report("aggression", `is ${numberIn(warmup, "aggression")}; must be greater than 0`);
  }
}
