/** How the pods of a Deployment or StatefulSet are replaced. Source: Kubernetes apps/v1 DeploymentStrategy, StatefulSetUpdateStrategy. */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";

/**
 * "beside": new ones run beside those that they replace, so many at a time. "in place": each old one ends first, so many at
 * a time. "all at once": all old ones end before any new one starts.
 */
export type DeploymentStrategy =
  | { readonly kind: "beside"; readonly surge: number }
  | { readonly kind: "in place"; readonly atOnce: number }
  | { readonly kind: "all at once" };

/** "on delete": a pod is made of the new template once somebody deletes it. "from": those of this ordinal and above, one by one. */
export type StatefulSetStrategy =
  | { readonly kind: "on delete" }
  | { readonly kind: "from"; readonly ordinal: number };

const DEFAULT_SHARE = "25%";
const MAX_AT_ONCE = 100;
const MAX_SECONDS = 86_400;
const MAX_ORDINAL = 2_147_483_647;

/**
 * Numbers are rounded as Kubernetes does. Where some may run beside, nothing is taken away before what replaces it is there, so
 * that `maxUnavailable` counts only where none may.
 */
export function deploymentStrategy(strategy: Fields, replicas: number): DeploymentStrategy {
  const type = strategy.choice("type", ["RollingUpdate", "Recreate"], "RollingUpdate");
  const rolling = strategy.section("rollingUpdate");
  if (type === "Recreate") {
    if (strategy.has("rollingUpdate"))
      strategy.report("rollingUpdate", `may not be given when type is ${quoted(type)}`);
    rolling.acceptAll();
    return { kind: "all at once" };
  }
  const surge = shareOf(rolling, { name: "maxSurge", replicas, round: Math.ceil });
  const unavailable = shareOf(rolling, { name: "maxUnavailable", replicas, round: Math.floor });
  if (surge.isNone && unavailable.isNone)
    rolling.report("maxUnavailable", "may not be 0 when maxSurge is 0");
  if (surge.isNone) return { kind: "in place", atOnce: Math.max(1, unavailable.count) };
  return { kind: "beside", surge: Math.max(1, surge.count) };
}

/** What else a cluster would do at once is done one by one here. */
export function statefulSetStrategy(strategy: Fields): StatefulSetStrategy {
  const type = strategy.choice("type", ["RollingUpdate", "OnDelete"], "RollingUpdate");
  const rolling = strategy.section("rollingUpdate");
  rolling.unused(["maxUnavailable"]);
  const ordinal = rolling.integer("partition", { min: 0, max: MAX_ORDINAL }) ?? 0;
  if (type === "RollingUpdate") return { kind: "from", ordinal };
  if (strategy.has("rollingUpdate"))
    strategy.report("rollingUpdate", `may not be given when type is ${quoted(type)}`);
  return { kind: "on delete" };
}

/** For how long a new pod has to be ready before it counts as available; 0 when absent. */
export function minReadySecondsOf(spec: Fields): number {
  return spec.integer("minReadySeconds", { min: 0, max: MAX_SECONDS }) ?? 0;
}

function shareOf(
  rolling: Fields,
  {
    name,
    replicas,
    round,
  }: {
    readonly name: string;
    readonly replicas: number;
    readonly round: (count: number) => number;
  },
): { readonly count: number; readonly isNone: boolean } {
  const written = String(rolling.scalar(name)?.value ?? DEFAULT_SHARE);
  const [, digits, percent] = /^([0-9]{1,5})(%?)$/.exec(written) ?? [];
  if (digits === undefined)
    rolling.report(name, `is "${written}"; expected a whole number, or a percentage such as 25%`);
  const number = Number(digits ?? 1);
  const count = percent === "%" ? round((number * replicas) / 100) : number;
  return { count: Math.min(MAX_AT_ONCE, count), isNone: number === 0 };
}
