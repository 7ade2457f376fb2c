/** ConfigMap: texts and bytes that pods read as variables or as files. */
import { binaryEntries, checkTotalSize, textEntries } from "./data-entries.ts";
import type { Fields } from "./decoder.ts";
import type { ResourceMeta } from "./resource.ts";

export interface ConfigMap {
  readonly kind: "ConfigMap";
  readonly meta: ResourceMeta;
  readonly data: ReadonlyMap<string, string>;
  /** No key of it is in `data` too. */
  readonly binaryData: ReadonlyMap<string, Uint8Array>;
  readonly immutable: boolean;
}

export function configMap(meta: ResourceMeta, root: Fields): ConfigMap {
  const data = textEntries(root, "data");
  const binaryData = binaryEntries(root, "binaryData");
  for (const key of binaryData.keys()) {
    if (data.has(key)) root.section("binaryData").report(key, "is in data too");
  }
  checkTotalSize(root, [...data.values(), ...binaryData.values()]);
  return { kind: "ConfigMap", meta, data, binaryData, immutable: root.flag("immutable", "off") };
}
