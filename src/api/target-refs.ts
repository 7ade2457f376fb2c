/** `targetRefs` of policies: the gateways and services a policy is attached to (AP-13..AP-17, VAL-5..VAL-7). */
import type { TargetRef } from "./authorization-policy.ts";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";

const MAX_TARGETS = 16;

/** Kinds a policy may be attached to, as group/kind; the group of Service may be written "core" or left empty. */
const TARGET_KINDS: ReadonlySet<string> = new Set([
  "gateway.networking.k8s.io/Gateway",
  "gateway.networking.k8s.io/GatewayClass",
  "/Service",
  "core/Service",
  "networking.istio.io/ServiceEntry",
]);

/** Reads `targetRefs`, and the older `targetRef`, of a policy's `spec`. */
export function targetRefs(spec: Fields): readonly TargetRef[] {
  const several = spec.list("targetRefs");
  const one = spec.has("targetRef") ? [spec.section("targetRef")] : [];
  if (several.length > MAX_TARGETS) {
    spec.report("targetRefs", `has ${several.length} items; at most ${MAX_TARGETS} are allowed`);
  }
  const given = ["selector", "targetRef", "targetRefs"].filter((name) => spec.has(name));
  for (const name of given.slice(1)) {
    spec.report(
      name,
      `must not be given together with ${given[0]}: only one of selector, targetRefs`,
    );
  }
  return [...one, ...several].map(targetRef);
}

function targetRef(fields: Fields): TargetRef {
  const group = fields.text("group") ?? "";
  const kind = fields.requiredText("kind");
  const name = fields.requiredText("name", (text) =>
    text === "" ? "must not be empty" : undefined,
  );
  const namespace = fields.text("namespace") ?? "";
  if (namespace !== "") {
    fields.report("namespace", "must not be given: a target in another namespace is not supported");
  }
  if (fields.has("kind") && !TARGET_KINDS.has(`${group}/${kind}`)) {
    fields.report(
      "kind",
      `${quoted(`${group}/${kind}`)} cannot be a target; expected one of ${TARGETS}`,
    );
  }
  return { group, kind, name, namespace };
}

const TARGETS = "Service, Gateway, GatewayClass and ServiceEntry, each with its group";
