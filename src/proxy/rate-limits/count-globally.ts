/** Global limits are counted once a view has one. Few pods do: the others load nothing of it. */
import type { AppliedRateLimit } from "../../policy/applied-rate-limits.ts";
import type { WorkloadView } from "../../policy/workload-view.ts";
import type { KnownLimits } from "./known-limits.ts";
import type { OpenGlobalLimitsOptions } from "./open-global-limits.ts";

/** @param options `view` is the one in force */
export async function countGlobally(
  known: KnownLimits,
  {
    view,
    ...options
  }: Omit<OpenGlobalLimitsOptions, "trustDomain"> & { readonly view: () => WorkloadView },
): Promise<void> {
  const wanted = (): readonly AppliedRateLimit[] =>
    view().inbound.rateLimits?.filter(({ scope }) => scope === "Global") ?? [];
  if (known.global !== undefined || wanted().length === 0) return;
  const { openGlobalLimits } = await import("./open-global-limits.ts");
  const trustDomain = (): string => view().trust.trustDomain;
  known.global = await openGlobalLimits({ ...options, trustDomain });
  known.global.use(wanted());
}
