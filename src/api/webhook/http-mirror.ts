/** `mirror` and `mirrors` of an HTTP route: copies of requests whose answers are thrown away. */
import type { Fields } from "../decoder.ts";
import { checkDestination } from "./route-destination.ts";
import { numberIn } from "./written-values.ts";

export function checkMirrors(route: Fields): void {
  checkDestination(route, "mirror");
  checkPercentage(route, "mirrorPercentage");
  if (route.has("mirrorPercent")) {
    const percent = numberIn(route, "mirrorPercent");
    if (percent > 100) route.report("mirrorPercent", `is ${percent}; expected 0 to 100`);
    route.notice("mirrorPercent", "is deprecated; use mirrorPercentage");
  }
  for (const mirror of route.list("mirrors")) {
    if (!mirror.has("destination")) mirror.report("destination", "is missing");
    else checkPercentage(mirror, "percentage");
    checkDestination(mirror, "destination");
  }
}

function checkPercentage(owner: Fields, name: string): void {
  const value = numberIn(owner.section(name), "value");
  if (value < 0 || value > 100) {
    owner.section(name).report("value", `is ${value}; expected 0 to 100`);
  }
}
