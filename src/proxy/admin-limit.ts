/** What is left of a rate limit for one caller, as the administration tells it. */
import type { LimitLeft } from "../policy/rate-limits/limit-left.ts";
import { type AdminPage, jsonPage, textPage } from "./admin-page.ts";
import type { KnownLimits } from "./rate-limits/known-limits.ts";

/** @param left as of `KnownLimits`; undefined: nothing counts yet */
export function limitPage(
  left: KnownLimits["left"] | undefined,
  parameters: URLSearchParams,
): AdminPage {
  const [limit, bucket, sharer] = ["limit", "bucket", "sharer"].map((name) => parameters.get(name));
  if (!limit || typeof bucket !== "string" || typeof sharer !== "string" || parameters.size !== 3)
    return textPage(400, "expected limit, bucket and sharer\n");
  const found = left?.(limit, { bucket, sharer });
  return found === undefined ? textPage(404, "nobody here counts for it\n") : jsonPage(found);
}

/** Of several processes, among which a limit is divided. */
export function sumOfLimit(found: readonly LimitLeft[]): LimitLeft | undefined {
  if (found.length === 0) return undefined;
  const waits = found.flatMap(({ waitMs }) => waitMs ?? []);
  return {
    left: found.reduce((sum, { left }) => sum + left, 0),
    waitMs: waits.length === 0 ? null : Math.min(...waits),
  };
}
