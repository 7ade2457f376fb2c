/** `localityLbSetting` and `zoneAwareLbSetting`: how load is spread over regions and zones, and moved when they fail. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { checkLocalities } from "./localities.ts";
import type { Warnings } from "./warnings.ts";
import { numberIn, textIn, textsIn } from "./written-values.ts";

const TOPOLOGY_LABELS = [
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
];

export interface FailoverSurroundings {
  /** Failover happens only where failing endpoints are found out. */
  readonly outlierDetection: "given" | "absent";
  readonly warnings: Warnings;
}

/** Mesh-wide, or of one policy. Stops at the first contradiction, as istiod does. */
export function checkLocalityLoadBalancing(
  setting: Fields,
  surroundings: FailoverSurroundings,
): void {
  const failsOver = setting.itemCount("failover") > 0;
  if (setting.itemCount("distribute") > 0 && failsOver) {
    setting.report("failover", "must not be given together with distribute");
    return;
  }
  if (failsOver && reportTopologyLabel(setting)) return;
  if (!checkDistribution(setting)) return;
  checkFailover(setting, surroundings);
}

/** Regions and zones are ordered by the proxy itself, so no topology label may be a priority. */
export function checkZoneAwareLoadBalancing(
  setting: Fields,
  surroundings: FailoverSurroundings,
): void {
  for (const [item, label] of textsIn(setting, "failoverPriority").entries()) {
    if (!TOPOLOGY_LABELS.includes(label)) continue;
    setting.report(
      { name: "failoverPriority", item },
      `${quoted(label)} must not be a priority: regions and zones are ordered by themselves`,
    );
  }
  checkFailover(setting, surroundings);
}

function reportTopologyLabel(setting: Fields): boolean {
  const priorities = textsIn(setting, "failoverPriority");
  const item = priorities.findIndex((label) => TOPOLOGY_LABELS.includes(label));
  if (item < 0) return false;
  setting.report(
    { name: "failoverPriority", item },
    `${quoted(priorities[item] ?? "")} must not be given together with failover`,
  );
  return true;
}

/** @returns whether the weights are in order; where they are not, istiod looks no further */
function checkDistribution(setting: Fields): boolean {
  const rows = setting.list("distribute");
  for (const row of rows) {
    if (!checkWeights(row)) return false;
    // A map has no order, and Go walks it in any: sorted, a `*` comes before all that it covers.
    checkLocalities(row.section("to").names().toSorted(), (locality, problem) =>
      row.section("to").report(locality, problem),
    );
  }
  const sources = rows.map((row) => textIn(row, "from"));
  checkLocalities(sources, (_locality, problem, item) => rows[item]?.report("from", problem));
  return true;
}

function checkWeights(row: Fields): boolean {
  const to = row.section("to");
  const weights = to.names().map((name) => numberIn(to, name));
  const wrong = weights.findIndex((weight) => weight <= 0 || weight > 100);
  if (wrong >= 0) {
    to.report(to.names()[wrong] ?? "", `is ${weights[wrong]}; expected a weight from 1 to 100`);
    return false;
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total !== 100) row.report("to", `has weights of ${total} in all; expected 100`);
  return total === 100;
}

function checkFailover(
  setting: Fields,
  { outlierDetection, warnings }: FailoverSurroundings,
): void {
  const fields = ["failover", "failoverPriority"].filter((name) => setting.itemCount(name) > 0);
  const [field] = fields;
  if (field !== undefined && outlierDetection === "absent" && warnings === "passed on") {
    setting.notice(field, "has no effect without outlierDetection");
  }
  for (const row of setting.list("failover")) {
    const [from, to] = [textIn(row, "from"), textIn(row, "to")];
    if (from === to) row.report("to", "must be another region than from");
    for (const name of ["from", "to"]) {
      if (/[/*]/.test(textIn(row, name))) {
        row.report(name, `${quoted(textIn(row, name))} is not a region alone`);
      }
    }
  }
}
