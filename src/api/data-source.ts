/** A ConfigMap or Secret as a source of files: which keys, where to, and whether they may be absent. */
import type { Fields } from "./decoder.ts";
import { relativePathProblem } from "./mount-path.ts";
import { subdomainProblem } from "./resource-names.ts";

/** The keys of a ConfigMap or Secret in the pod's namespace, each a file. */
export interface DataSource {
  readonly kind: "configMap" | "secret";
  /** Name of the ConfigMap or Secret. */
  readonly resourceName: string;
  /** Which keys become files, and where; empty: each key, under its own name. */
  readonly items: readonly VolumeItem[];
  /** Whether the resource, and the keys of `items`, may be absent. */
  readonly optional: boolean;
}

export interface VolumeItem {
  readonly key: string;
  /** Relative, and never leads out of the volume. */
  readonly path: string;
  /** File mode, 0 to 0o777. */
  readonly mode?: number;
}

export const FILE_MODES = { min: 0, max: 0o777 };
export const DEFAULT_FILE_MODE = 0o644;

/** @param nameField `secretName` in a volume of its own, else `name` */
export function dataSource(
  fields: Fields,
  { kind, nameField }: { readonly kind: DataSource["kind"]; readonly nameField: string },
): DataSource {
  return {
    kind,
    resourceName: fields.requiredText(nameField, subdomainProblem),
    items: fields.list("items").map(volumeItem),
    optional: fields.flag("optional", "off"),
  };
}

function volumeItem(fields: Fields): VolumeItem {
  const key = fields.requiredText("key", (text) => (text === "" ? "must not be empty" : undefined));
  const path = fields.requiredText("path", relativePathProblem);
  const mode = fields.integer("mode", FILE_MODES);
  return mode === undefined ? { key, path } : { key, path, mode };
}
