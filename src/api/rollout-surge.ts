/** How many pods of a Deployment may run beside those that they replace. Source: Kubernetes apps/v1 DeploymentStrategy. */
import type { Fields } from "./decoder.ts";

const TYPES = ["RollingUpdate", "Recreate"] as const;
const DEFAULT_SURGE = "25%";
const MAX_SURGE = 100;

/**
 * As Kubernetes rounds it, and at least one: nothing is taken away here before what replaces it is there, so that
 * `maxUnavailable` changes nothing.
 *
 * @returns undefined where the old ones are to end first
 */
export function surgeOf(strategy: Fields, replicas: number): number | undefined {
  const type = strategy.choice("type", TYPES, "RollingUpdate");
  const rolling = strategy.section("rollingUpdate");
  const written = rolling.scalar("maxSurge");
  rolling.accept(["maxUnavailable"]);
  const surge = String(written?.value ?? DEFAULT_SURGE);
  const [, digits, percent] = /^([0-9]{1,5})(%?)$/.exec(surge) ?? [];
  if (digits === undefined)
    rolling.report(
      "maxSurge",
      `is "${surge}"; expected a whole number, or a percentage such as 25%`,
    );
  if (type === "Recreate") return undefined;
  const number = Number(digits ?? 1);
  const wanted = percent === "%" ? Math.ceil((number * replicas) / 100) : number;
  return Math.min(MAX_SURGE, Math.max(1, wanted));
}
