/**
 * The volumes of a pod: files made from ConfigMaps, Secrets and tokens, a folder of the machine, one that the pod
 * claims, or an empty one.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
 */
import { type DataSource, DEFAULT_FILE_MODE, dataSource, FILE_MODES } from "./data-source.ts";
import type { Fields } from "./decoder.ts";
import { hostPathProblem } from "./mount-path.ts";
import { type ProjectedSource, projectedSources } from "./projected-source.ts";
import type { SourceLocation } from "./resource.ts";
import { labelNameProblem } from "./resource-names.ts";

export type Volume = DataVolume | ProjectedVolume | HostPathVolume | ClaimVolume | EmptyVolume;

/** The keys of one ConfigMap or Secret, each a file. */
export interface DataVolume extends DataSource {
  readonly name: string;
  /** File mode, 0 to 0o777, of files whose item has none. */
  readonly defaultMode: number;
  readonly source: SourceLocation;
}

/** Files of several sources in one folder. */
export interface ProjectedVolume {
  readonly kind: "projected";
  readonly name: string;
  readonly sources: readonly ProjectedSource[];
  /** File mode, 0 to 0o777, of files whose item has none. */
  readonly defaultMode: number;
  readonly source: SourceLocation;
}

/** A file or folder of the machine. */
export interface HostPathVolume {
  readonly kind: "hostPath";
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly source: SourceLocation;
}

/** A folder that outlives the pod; of StatefulSets alone. */
export interface ClaimVolume {
  readonly kind: "claim";
  readonly name: string;
  readonly source: SourceLocation;
}

export interface EmptyVolume {
  readonly kind: "emptyDir";
  readonly name: string;
  readonly source: SourceLocation;
}

const KINDS = ["configMap", "secret", "projected", "hostPath", "emptyDir"] as const;

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
  "image",
  "iscsi",
  "nfs",
  "persistentVolumeClaim",
  "photonPersistentDisk",
  "portworxVolume",
  "quobyte",
  "rbd",
  "scaleIO",
  "storageos",
  "vsphereVolume",
];

/** A volume of no type is an empty folder, as in Kubernetes. */
export function volume(fields: Fields, file: string): Volume {
  const name = fields.requiredText("name", labelNameProblem);
  const given = [...KINDS, ...UNSUPPORTED_KINDS].filter((kind) => fields.has(kind));
  fields.unsupported(UNSUPPORTED_KINDS, (kind) => `volume type ${kind}`);
  if (given.length > 1) fields.reportHere(`has several types: ${given.join(", ")}`);
  const kind = KINDS.find((candidate) => given.includes(candidate)) ?? "emptyDir";
  fields.accept(KINDS);
  const named = { name, source: { file, line: fields.line } };
  return volumeOfKind(fields.section(kind), { kind, named });
}

function volumeOfKind(
  fields: Fields,
  {
    kind,
    named,
  }: { readonly kind: (typeof KINDS)[number]; readonly named: Pick<Volume, "name" | "source"> },
): Volume {
  switch (kind) {
    case "configMap":
    case "secret": {
      const nameField = kind === "secret" ? "secretName" : "name";
      const data = dataSource(fields, { kind, nameField });
      return { ...data, defaultMode: defaultModeOf(fields), ...named };
    }
    case "projected": {
      const sources = projectedSources(fields);
      return { kind, sources, defaultMode: defaultModeOf(fields), ...named };
    }
    case "hostPath":
      fields.unused(["type"]);
      return { kind, path: fields.requiredText("path", hostPathProblem), ...named };
    case "emptyDir":
      fields.unused(["medium", "sizeLimit"]);
      return { kind, ...named };
  }
}

function defaultModeOf(fields: Fields): number {
  return fields.integer("defaultMode", FILE_MODES) ?? DEFAULT_FILE_MODE;
}
