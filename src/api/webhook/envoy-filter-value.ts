/**
 * What a patch of an EnvoyFilter puts in. Istio reads it with Envoy's own messages; here, without them, only what such
 * a reading most often trips over is found: extensions without configuration, or with one of Envoy's old API.
 */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { textIn } from "./written-values.ts";

/** Objects that are themselves an extension of Envoy: a name, and its configuration. */
const EXTENSIONS = ["NETWORK_FILTER", "HTTP_FILTER", "LISTENER_FILTER", "EXTENSION_CONFIG"];
const TYPED_CONFIG = ["typed_config", "typedConfig"];
const DISCOVERY = ["config_discovery", "configDiscovery"];
/** Envoy has removed its API version 2; what names a type of it names nothing. */
const REMOVED_TYPE = /(?:^|\/)envoy\.(?:[\w.]+\.)?v2(?:alpha\d*)?\.\w+$/;

export function checkPatchValue(configPatch: Fields): void {
  const patch = configPatch.section("patch");
  if (!patch.has("value")) return;
  const value = patch.section("value");
  refuseRemovedTypes(value);
  if (!EXTENSIONS.includes(textIn(configPatch, "applyTo"))) return;
  const config = TYPED_CONFIG.find((name) => value.has(name));
  if (config !== undefined) {
    if (textIn(value.section(config), "@type") === "") {
      value.section(config).report("@type", "is missing; expected type.googleapis.com/TYPE");
    }
  } else if (!DISCOVERY.some((name) => value.has(name))) {
    patch.notice(
      "value",
      "has no typed_config; an extension by name alone will be refused one day",
    );
  }
}

function refuseRemovedTypes(fields: Fields): void {
  const type = textIn(fields, "@type");
  if (REMOVED_TYPE.test(type)) {
    fields.report("@type", `${quoted(type)} is not a type of Envoy's API version 3`);
  }
  // What a TypedStruct holds is anybody's data.
  if (type.endsWith(".TypedStruct")) return;
  for (const inner of innerMaps(fields)) refuseRemovedTypes(inner);
}

function innerMaps(fields: Fields): readonly Fields[] {
  return [...fields.map.entries].flatMap(([name, { node }]) => {
    if (node.type === "map") return [fields.section(name)];
    const maps = node.type === "list" && node.items.every((item) => item.type === "map");
    return maps ? fields.list(name) : [];
  });
}
