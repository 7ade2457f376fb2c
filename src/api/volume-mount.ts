/** Where a container sees a volume of its pod. */
import type { Fields } from "./decoder.ts";
import { mountPathProblem, relativePathProblem } from "./mount-path.ts";
import { quoted } from "./quoted.ts";

export interface VolumeMount {
  /** Name of a volume of the pod. */
  readonly name: string;
  /** Absolute path inside the container. */
  readonly mountPath: string;
  /** What of the volume is mounted, a relative path; absent: all of it. */
  readonly subPath?: string;
  readonly readOnly: boolean;
}

/** @param volumes names of the pod's volumes */
export function volumeMount(fields: Fields, volumes: readonly string[]): VolumeMount {
  fields.unused(["mountPropagation", "recursiveReadOnly"]);
  fields.unsupported(["subPathExpr"]);
  const name = fields.requiredText("name", (text) =>
    volumes.includes(text) ? undefined : `${quoted(text)} is not a volume of the pod`,
  );
  const mountPath = fields.requiredText("mountPath", mountPathProblem);
  const subPath = fields.text("subPath", (text) =>
    text === "" ? undefined : relativePathProblem(text),
  );
  const mount = { name, mountPath, readOnly: fields.flag("readOnly", "off") };
  return subPath ? { ...mount, subPath } : mount;
}
