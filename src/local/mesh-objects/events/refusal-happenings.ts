/** What proxies began to refuse since the mesh was looked at last, and what they take again. */
import type { RefusedResource } from "../../../control/refused-resources.ts";
import type { KubernetesObject } from "../../api-server/kinds/kubernetes-object.ts";
import { type Happening, involved } from "./happening.ts";

/** @param objectOf what somebody wrote; undefined: it is gone */
export function refusalHappenings(
  before: readonly RefusedResource[],
  now: readonly RefusedResource[],
  objectOf: (ref: RefusedResource["ref"]) => KubernetesObject | undefined,
): readonly Happening[] {
  const [was, is] = [messages(before), messages(now)];
  const told = (
    { ref }: RefusedResource,
    what: Pick<Happening, "type" | "reason" | "message">,
  ): readonly Happening[] => {
    const object = objectOf(ref);
    return object === undefined ? [] : [{ about: involved(object), component: "hauberk", ...what }];
  };
  return [
    ...now
      .filter((one) => was.get(keyOf(one)) !== one.message)
      .flatMap((one) =>
        told(one, { type: "Warning", reason: "RefusedByProxy", message: one.message }),
      ),
    ...before
      .filter((one) => !is.has(keyOf(one)))
      .flatMap((one) =>
        told(one, { type: "Normal", reason: "TakenByProxies", message: "no proxy refuses it now" }),
      ),
  ];
}

function messages(refused: readonly RefusedResource[]): ReadonlyMap<string, string> {
  return new Map(refused.map((one) => [keyOf(one), one.message]));
}

function keyOf({ ref: { kind, namespace, name } }: RefusedResource): string {
  return `${kind}/${namespace}/${name}`;
}
