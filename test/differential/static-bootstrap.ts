/**
 * What the translator writes, as one Envoy can be started with for many sets: what it would ask the agent for is written
 * in place, and names are made different.
 */

import { calleeCertificate } from "./callee-certificate.ts";
import { isObject, type Json } from "./json-rewrite.ts";
import { ROOT_PEM } from "./known-parties.ts";
import type { Translated } from "./translate.ts";

export interface ServedSet {
  readonly translated: Translated;
  readonly withheld?: true;
}

/** In the JSON of proto3. */
export function staticBootstrap(sets: readonly ServedSet[]): Json {
  const parts = sets.map((served, index) => inPlace(served, `${index}`));
  const { certificatePem, privateKeyPem } = calleeCertificate();
  return {
    staticResources: {
      listeners: parts.flatMap(({ listeners }) => listeners),
      clusters: parts.flatMap(({ clusters }) => clusters),
      secrets: [
        {
          name: "default",
          tlsCertificate: {
            certificateChain: { inlineString: certificatePem },
            privateKey: { inlineString: privateKeyPem },
          },
        },
        { name: "ROOTCA", validationContext: { trustedCa: { inlineString: ROOT_PEM } } },
      ],
    },
    layeredRuntime: RUNTIME,
  };
}

/** As the agent's bootstrap sets them. */
const RUNTIME: Json = {
  layers: [
    {
      name: "static",
      staticLayer: {
        "envoy.reloadable_features.http_reject_path_with_fragment": false,
        "re2.max_program_size.error_level": 32_768,
      },
    },
  ],
};

/** Another Envoy on the machine that comes to the same port must not answer for this one. */
const ALONE = false;

interface Parts {
  readonly listeners: readonly Json[];
  readonly clusters: readonly Json[];
}

function inPlace({ translated, withheld }: ServedSet, prefix: string): Parts {
  const told = withheld === true ? [] : translated.extensionConfigs;
  const configs = new Map(told.map(({ name, typedConfig }) => [name, typedConfig]));
  const names = new Map(
    translated.clusters.map(({ name }) => [String(name), `${prefix}/${String(name)}`]),
  );
  const placed = (value: Json): Json => placedIn(value, { configs, names }) as Json;
  return {
    listeners: translated.listeners
      .filter(({ trafficDirection }) => trafficDirection === "INBOUND")
      .map((listener) =>
        placed({ ...listener, name: `${prefix}/${listener.name}`, enableReusePort: ALONE }),
      ),
    clusters: translated.clusters.map((cluster) => placed(withEndpoints(cluster, translated))),
  };
}

/** In place, where it would ask for them. */
function withEndpoints(
  { edsClusterConfig, ...cluster }: Json,
  { endpoints }: Pick<Translated, "endpoints">,
): Json {
  if (edsClusterConfig === undefined) return cluster;
  const loadAssignment = endpoints.find(({ clusterName }) => clusterName === cluster["name"]);
  return { ...cluster, type: "STATIC", loadAssignment };
}

interface Known {
  readonly configs: ReadonlyMap<string | undefined, unknown>;
  readonly names: ReadonlyMap<string, string>;
}

/** Names of clusters are the only texts that are changed: nothing else of a set is spelt like one. */
function placedIn(value: unknown, known: Known): unknown {
  if (typeof value === "string") return known.names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => placedIn(item, known));
  if (typeof value !== "object" || value === null) return value;
  const { configDiscovery, sdsConfig: _, ...rest } = value as Json;
  const fields = Object.entries(rest).map(([key, inner]) => [key, placedIn(inner, known)]);
  const config = isObject(configDiscovery)
    ? (known.configs.get(String(rest["name"])) ?? configDiscovery["defaultConfig"])
    : undefined;
  return Object.fromEntries(config === undefined ? fields : [...fields, ["typedConfig", config]]);
}
