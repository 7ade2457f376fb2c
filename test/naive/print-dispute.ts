/** A disagreement as YAML that can be pasted: policies, traffic, and what each side says. */
import { stringify } from "yaml";
import { allPolicies, printPolicy } from "../kit/policy-yaml.ts";
import { askEngine, askInterpreter, type Dispute } from "./comparison.ts";

export function printDispute(dispute: Dispute): string {
  const { policies, trust, facts } = dispute;
  const said = { specification: askInterpreter(dispute), engine: askEngine(dispute) };
  return [
    ...allPolicies(policies).map(printPolicy),
    stringify({ trust, traffic: facts, ...said }),
  ].join("---\n");
}
