/** A disagreement as YAML that can be pasted, the request, and what each of the three says. */
import { stringify } from "yaml";
import { allPolicies, printPolicy } from "../kit/policy-yaml.ts";
import type { Answered } from "./disagreement.ts";

export function printDisagreement({ set, call, engine, sidecar, envoy }: Answered): string {
  const { policies, ...frame } = set;
  const told = {
    ...frame,
    call,
    engine: `${engine.verdict} (${engine.seen})`,
    ...(sidecar && { sidecar: `${sidecar.verdict} (${sidecar.seen})` }),
    envoy: `${envoy.verdict} (${envoy.seen})`,
  };
  return [...allPolicies(policies).map(printPolicy), stringify(told)].join("---\n");
}
