/** `outlierDetection` of a traffic policy: when an endpoint is taken out of the rotation. */
import type { Fields } from "../decoder.ts";
import { checkDuration } from "./duration.ts";
import type { Warnings } from "./warnings.ts";
import { flagIn, numberIn } from "./written-values.ts";

export function checkOutlierDetection(policy: Fields, warnings: Warnings): void {
  const outlier = policy.section("outlierDetection");
  checkDuration(outlier, "baseEjectionTime");
  checkDuration(outlier, "interval");
  for (const name of ["maxEjectionPercent", "minHealthPercent"]) checkPercent(outlier, name);
  if (
    numberIn(outlier, "consecutiveLocalOriginFailures") > 0 &&
    !flagIn(outlier, "splitExternalLocalOriginErrors")
  ) {
    outlier.report(
      "consecutiveLocalOriginFailures",
      "needs splitExternalLocalOriginErrors: true beside it",
    );
  }
  if (warnings === "passed on" && numberIn(outlier, "consecutiveErrors") !== 0) {
    outlier.notice(
      "consecutiveErrors",
      "is deprecated; use consecutiveGatewayErrors or consecutive5xxErrors",
    );
  }
}

function checkPercent(outlier: Fields, name: string): void {
  const percent = numberIn(outlier, name);
  if (percent < 0 || percent > 100) outlier.report(name, `is ${percent}; expected 0 to 100`);
}
