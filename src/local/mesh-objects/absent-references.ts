/**
 * ConfigMaps and Secrets that pods of an object need and that are not there. Kubernetes takes such an object, and its pods
 * wait: a manifest may name first what it brings afterwards.
 */
import { listAt, textAt, valueAt } from "../api-server/kinds/json-access.ts";
import type { JsonValue, KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";

/** Whether there is one of this name; `plural` as in an `objectKey`. */
export type IsThere = (plural: "configmaps" | "secrets", name: string) => boolean;

interface Reference {
  readonly plural: "configmaps" | "secrets";
  readonly name: string;
}

/**
 * @param object with a pod template
 * @returns such as `configMap opa-policies`, each once; of those that are optional nothing
 */
export function absentReferences(object: KubernetesObject, isThere: IsThere): readonly string[] {
  const pod = valueAt(object, ["spec", "template", "spec"]);
  const containers = [...listAt(pod, "initContainers"), ...listAt(pod, "containers")];
  const references = [
    ...listAt(pod, "volumes").flatMap(ofVolume),
    ...containers.flatMap(ofEnvironment),
  ];
  const absent = references.filter(({ plural, name }) => name !== "" && !isThere(plural, name));
  const said = absent.map(({ plural, name }) =>
    plural === "secrets" ? `secret ${name}` : `configMap ${name}`,
  );
  return [...new Set(said)];
}

function ofVolume(volume: JsonValue): readonly Reference[] {
  const sources = listAt(volume, "projected", "sources");
  return [
    ...reference("configmaps", valueAt(volume, ["configMap"])),
    ...reference("secrets", valueAt(volume, ["secret"]), "secretName"),
    ...sources.flatMap((source) => [
      ...reference("configmaps", valueAt(source, ["configMap"])),
      ...reference("secrets", valueAt(source, ["secret"])),
    ]),
  ];
}

function ofEnvironment(container: JsonValue): readonly Reference[] {
  return [
    ...listAt(container, "envFrom").flatMap((from) => [
      ...reference("configmaps", valueAt(from, ["configMapRef"])),
      ...reference("secrets", valueAt(from, ["secretRef"])),
    ]),
    ...listAt(container, "env").flatMap((variable) => [
      ...reference("configmaps", valueAt(variable, ["valueFrom", "configMapKeyRef"])),
      ...reference("secrets", valueAt(variable, ["valueFrom", "secretKeyRef"])),
    ]),
  ];
}

function reference(
  plural: Reference["plural"],
  value: JsonValue | undefined,
  field: "name" | "secretName" = "name",
): readonly Reference[] {
  const isNeeded = value !== undefined && valueAt(value, ["optional"]) !== true;
  return isNeeded ? [{ plural, name: textAt(value, field) }] : [];
}
