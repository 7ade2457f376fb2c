/**
 * The volumes of a pod: files made from a ConfigMap or a Secret, or an empty folder.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
 */
import type { Fields } from "./decoder.ts";
import { relativePathProblem } from "./mount-path.ts";
import type { SourceLocation } from "./resource.ts";
import { labelNameProblem, subdomainProblem } from "./resource-names.ts";

export type Volume = DataVolume | EmptyVolume;

/** The keys of a ConfigMap or Secret in the pod's namespace, each a file. */
export interface DataVolume {
  readonly kind: "configMap" | "secret";
  readonly name: string;
  /** Name of the ConfigMap or Secret. */
  readonly resourceName: string;
  /** Which keys become files, and where; empty: each key, under its own name. */
  readonly items: readonly VolumeItem[];
  /** Whether the resource, and the keys of `items`, may be absent. */
  readonly optional: boolean;
  /** File mode, 0 to 0o777, of files whose item has none. */
  readonly defaultMode: number;
  readonly source: SourceLocation;
}

export interface EmptyVolume {
  readonly kind: "emptyDir";
  readonly name: string;
  readonly source: SourceLocation;
}

export interface VolumeItem {
  readonly key: string;
  /** Relative, and never leads out of the volume. */
  readonly path: string;
  /** File mode, 0 to 0o777. */
  readonly mode?: number;
}

const KINDS = ["configMap", "secret", "emptyDir"] as const;

const UNSUPPORTED_KINDS = [
  "awsElasticBlockStore",
  "azureDisk",
  "azureFile",
  "cephfs",
  "cinder",
  "csi",
  "downwardAPI",
  "ephemeral",
  "fc",
  "flexVolume",
  "flocker",
  "gcePersistentDisk",
  "gitRepo",
  "glusterfs",
  "hostPath",
  "image",
  "iscsi",
  "nfs",
  "persistentVolumeClaim",
  "photonPersistentDisk",
  "portworxVolume",
  "projected",
  "quobyte",
  "rbd",
  "scaleIO",
  "storageos",
  "vsphereVolume",
];

const DEFAULT_MODE = 0o644;
const MODES = { min: 0, max: 0o777 };

/** A volume of no type is an empty folder, as in Kubernetes. */
export function volume(fields: Fields, file: string): Volume {
  const source = { file, line: fields.line };
  const name = fields.requiredText("name", labelNameProblem);
  const given = [...KINDS, ...UNSUPPORTED_KINDS].filter((kind) => fields.has(kind));
  fields.unsupported(UNSUPPORTED_KINDS, (kind) => `volume type ${kind}`);
  if (given.length > 1) fields.reportHere(`has several types: ${given.join(", ")}`);
  const kind = KINDS.find((candidate) => given.includes(candidate)) ?? "emptyDir";
  fields.accept(KINDS);
  const content = fields.section(kind);
  if (kind === "emptyDir") {
    content.unused(["medium", "sizeLimit"]);
    return { kind, name, source };
  }
  return { kind, name, ...dataVolume(content, kind), source };
}

function dataVolume(
  fields: Fields,
  kind: DataVolume["kind"],
): Omit<DataVolume, "kind" | "name" | "source"> {
  const nameField = kind === "secret" ? "secretName" : "name";
  return {
    resourceName: fields.requiredText(nameField, subdomainProblem),
    items: fields.list("items").map(volumeItem),
    optional: fields.flag("optional", "off"),
    defaultMode: fields.integer("defaultMode", MODES) ?? DEFAULT_MODE,
  };
}

function volumeItem(fields: Fields): VolumeItem {
  const key = fields.requiredText("key", (text) => (text === "" ? "must not be empty" : undefined));
  const path = fields.requiredText("path", relativePathProblem);
  const mode = fields.integer("mode", MODES);
  return mode === undefined ? { key, path } : { key, path, mode };
}
