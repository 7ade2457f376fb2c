/** An object as a file that a person can read: what the mesh makes of it comes from that text. */
import { yamlText } from "../../api/yaml-text.ts";
import type { KubernetesObject } from "../api-server/kinds/kubernetes-object.ts";

const TEXTS: WeakMap<KubernetesObject, string> = new WeakMap();

/** YAML; without its status, which the mesh writes. Objects never change, so that each is written once. */
export function objectText(object: KubernetesObject): string {
  const known = TEXTS.get(object);
  if (known !== undefined) return known;
  const { status: _status, ...written } = object;
  const text = yamlText(written);
  TEXTS.set(object, text);
  return text;
}
