/** The sets of policies that several tables share, as upstream's tests hold them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSnapshot, type MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import type { GatewaySelectors } from "../../../src/policy/policy-selection.ts";
import { resourcesIn, type UpstreamObject, yamlOf } from "../upstream-objects.ts";

export interface PolicySet {
  readonly rootNamespace: string;
  readonly policies: readonly UpstreamObject[];
}

interface PolicySetsFile {
  readonly rootNamespace: string;
  readonly policySets: Readonly<Record<string, readonly UpstreamObject[]>>;
}

export function readPolicySet(folder: string, name: string): PolicySet {
  const text = readFileSync(join(folder, "fixtures/policy-sets.json"), "utf8");
  const { rootNamespace, policySets } = JSON.parse(text) as PolicySetsFile;
  const policies = policySets[name];
  if (policies === undefined) throw new Error(`there is no set of policies ${name}`);
  return { rootNamespace, policies };
}

export function snapshotOfSet(
  { rootNamespace, policies }: PolicySet,
  gatewaySelectors?: GatewaySelectors,
): MeshSnapshot {
  const documents = [JSON.stringify({ rootNamespace })];
  if (policies.length > 0) documents.push(yamlOf(policies.map(completed)));
  return buildSnapshot({
    resources: documents.flatMap(resourcesIn),
    workloads: [],
    rootsPem: [],
    gatewaySelectors,
  });
}

/** A RequestAuthentication applies by its rules; those of upstream's sets have none, or such as only fill the place. */
function completed(object: UpstreamObject): UpstreamObject {
  if (object.kind !== "RequestAuthentication") return object;
  const spec = object.spec as object | undefined;
  return { ...object, spec: { ...spec, jwtRules: [{ issuer: "https://issuer.example" }] } };
}
