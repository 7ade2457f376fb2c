/**
 * The section `hauberk` of the mesh configuration in a document of its own: what Istio reads may then stay as it was
 * found. Both are one mesh configuration.
 */
import type { MeshConfig } from "./mesh-config.ts";
import type { Resource } from "./resource.ts";

/** One in place of two, where the one holds what the other lacks; anything else stays as it is. */
export function joinMeshConfigs(resources: readonly Resource[]): readonly Resource[] {
  const configs = resources.filter((one): one is MeshConfig => one.kind === "MeshConfig");
  const own = configs.filter(({ ownSection }) => ownSection === "alone");
  const istio = configs.filter(({ ownSection }) => ownSection === "absent");
  const [ownOne] = own;
  const [istioOne] = istio;
  if (ownOne === undefined || istioOne === undefined || configs.length !== 2) return resources;
  const { tokenKeys, rateLimits } = ownOne.settings;
  const joined: MeshConfig = {
    ...istioOne,
    ownSection: "beside",
    settings: { ...istioOne.settings, tokenKeys, rateLimits },
  };
  return resources.flatMap((one) => {
    if (one === ownOne) return [];
    return one === istioOne ? joined : one;
  });
}
