/** Which requests are traced, where their callers did not decide. */
import type { SideTracing } from "../../policy/workload-view.ts";
import type { TraceHeaders } from "./span.ts";

export type Sampling = Pick<SideTracing, "sampledOf10000" | "sampledBy">;

/** By which people ask for a trace of one request, as Envoy takes it. */
const ASKED_FOR = ["x-envoy-force-trace", "x-client-trace-id"];
const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const OF = 10_000;

/** @param chance a number in [0, 1) */
export function isSampled(
  headers: Pick<TraceHeaders, "get">,
  { sampledOf10000, sampledBy }: Sampling,
  chance: () => number,
): boolean {
  if (ASKED_FOR.some((name) => headers.get(name) !== undefined)) return true;
  if (sampledOf10000 === 0) return false;
  const id = sampledBy === "request id" ? headers.get("x-request-id") : undefined;
  // All who see one id throw alike: a trace is told as a whole, also where an application forwards nothing but the id.
  if (id !== undefined && REQUEST_ID.test(id)) {
    return Number.parseInt(id.slice(0, 8), 16) % OF < sampledOf10000;
  }
  return chance() * OF < sampledOf10000;
}
