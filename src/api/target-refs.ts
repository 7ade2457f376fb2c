/** `targetRefs` of policies: the gateways and services a policy is attached to (AP-13..AP-17, VAL-5, VAL-6). */
import type { TargetRef } from "./authorization-policy.ts";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";

/** Kinds a policy may be attached to, as group/kind; the group of Service may be written "core" or left empty. */
const TARGET_KINDS: ReadonlySet<string> = new Set([
  "gateway.networking.k8s.io/Gateway",
  "gateway.networking.k8s.io/GatewayClass",
  "core/Service",
  "networking.istio.io/ServiceEntry",
]);
const TARGETS: string = [...TARGET_KINDS].join(", ");

/** Reads `targetRefs`, and the older `targetRef`, of a policy's `spec`. */
export function targetRefs(spec: Fields): readonly TargetRef[] {
  return targetsOf(spec).map((target) => ({
    group: target.text("group") ?? "",
    kind: target.text("kind") ?? "",
    name: target.text("name") ?? "",
    namespace: target.text("namespace") ?? "",
  }));
}

/** What istiod's webhook demands of them; `selector` is the other way to say whom a policy is for. */
export function checkTargetRefs(spec: Fields): void {
  const given = ["selector", "targetRef", "targetRefs"].filter(
    (name) => spec.has(name) && !(name === "targetRefs" && spec.saysNothing(name)),
  );
  for (const name of given.slice(1)) {
    spec.report(
      name,
      `must not be given together with ${given[0]}: only one of selector, targetRefs`,
    );
  }
  for (const target of targetsOf(spec)) checkTarget(target);
}

function targetsOf(spec: Fields): readonly Fields[] {
  const one = spec.has("targetRef") ? [spec.section("targetRef")] : [];
  return [...one, ...spec.list("targetRefs")];
}

function checkTarget(target: Fields): void {
  if (!target.text("name")) target.report("name", "is missing: a target needs a name");
  if (target.text("namespace")) {
    target.report("namespace", "must not be given: a target in another namespace is not supported");
  }
  const group = target.text("group") ?? "";
  const kind = target.text("kind") ?? "";
  if (TARGET_KINDS.has(`${group || "core"}/${kind}`)) return;
  target.report(
    "kind",
    `${quoted(`${group}/${kind}`)} cannot be a target; expected one of ${TARGETS}`,
  );
}
