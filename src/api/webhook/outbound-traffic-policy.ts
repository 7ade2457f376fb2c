/** Where a Sidecar sends traffic that is for no known service, as Istio's webhook judges it. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { hostNameProblem } from "./host-name.ts";
import { portNumberProblem } from "./port.ts";
import { subsetNameProblem } from "./subset-name.ts";
import { numberIn, textIn } from "./written-values.ts";

const MODES = ["REGISTRY_ONLY", "ALLOW_ANY"];
const MESH_MODE = "ALLOW_ANY_DYNAMIC_DNS";

export function checkOutboundTrafficPolicy(spec: Fields): void {
  const policy = spec.section("outboundTrafficPolicy");
  const mode = textIn(policy, "mode") || "REGISTRY_ONLY";
  if (!MODES.includes(mode)) {
    policy.report("mode", modeProblem(mode));
    return;
  }
  if (!policy.has("egressProxy")) return;
  if (mode === "ALLOW_ANY") checkEgressProxy(policy.section("egressProxy"));
  else policy.report("egressProxy", "must not be given unless mode is ALLOW_ANY");
}

function modeProblem(mode: string): string {
  return mode === MESH_MODE
    ? `must not be ${MESH_MODE}, which is for the mesh configuration only`
    : `${quoted(mode)} is not known; expected one of ${MODES.join(", ")}`;
}

function checkEgressProxy(proxy: Fields): void {
  const subset = textIn(proxy, "subset");
  const problems = {
    host: hostNameProblem(textIn(proxy, "host")),
    subset: subset === "" ? undefined : subsetNameProblem(subset),
  };
  for (const [name, problem] of Object.entries(problems)) {
    if (problem !== undefined) proxy.report(name, problem);
  }
  if (!proxy.has("port")) {
    proxy.report("port", "is missing");
    return;
  }
  const problem = portNumberProblem(numberIn(proxy.section("port"), "number"));
  if (problem !== undefined) proxy.section("port").report("number", problem);
}
