/** Sequences of changes to one object by several managers: what a seed says is played to any API server. */
import type {
  JsonObject,
  JsonValue,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import { Dice } from "../dice.ts";
import {
  madeObject,
  metadata,
  SEQUENCE_KINDS,
  type SequenceKind,
  some,
} from "./sequence-objects.ts";

export type OperationType = "create" | "update" | "json" | "merge" | "strategic" | "apply";

export interface Operation {
  readonly type: OperationType;
  readonly manager: string;
  readonly body: JsonValue;
  readonly subresource?: "status" | "scale";
  /** Of an apply. */
  readonly force?: boolean;
}

export interface OperationSequence {
  readonly seed: number;
  readonly kind: SequenceKind;
  readonly name: string;
  readonly operations: readonly Operation[];
}

export const SEQUENCES = 200;
const LONGEST = 9;

const UPDATERS = ["alpha", "beta", "gamma"];
const APPLIERS = ["delta", "epsilon", "kubectl"];

export function operationSequence(seed: number): OperationSequence {
  const dice = new Dice(seed);
  const kind = SEQUENCE_KINDS[seed % SEQUENCE_KINDS.length] ?? dice.pick(SEQUENCE_KINDS);
  const name = `s${seed}`;
  const operations = Array.from({ length: dice.between(4, LONGEST) }, () =>
    operation(dice, kind, name),
  );
  return { seed, kind, name, operations: [first(dice, kind, name), ...operations] };
}

function first(dice: Dice, kind: SequenceKind, name: string): Operation {
  const body = madeObject(kind, { dice, name, share: 0.7 });
  return dice.chance(0.5)
    ? { type: "create", manager: dice.pick(UPDATERS), body }
    : { type: "apply", manager: dice.pick(APPLIERS), body, force: false };
}

function operation(dice: Dice, kind: SequenceKind, name: string): Operation {
  const thrown = dice.next();
  if (thrown < 0.35) return applied(dice, kind, name);
  if (thrown < 0.5) {
    const body = madeObject(kind, { dice, name, share: 0.6 });
    return { type: "update", manager: dice.pick(UPDATERS), body };
  }
  if (thrown < 0.6 && kind.status !== undefined) return ofStatus(dice, kind, name);
  if (thrown < 0.68 && kind.scales) return scaled(dice, name);
  return patched(dice, kind);
}

function applied(dice: Dice, kind: SequenceKind, name: string): Operation {
  const body = madeObject(kind, { dice, name, share: dice.pick([0.2, 0.5, 0.8]) });
  return { type: "apply", manager: dice.pick(APPLIERS), body, force: dice.chance(0.6) };
}

function ofStatus(dice: Dice, kind: SequenceKind, name: string): Operation {
  const status = kind.status?.(dice) ?? {};
  const head = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name } };
  if (dice.chance(0.3)) {
    const [manager, force] = [dice.pick(APPLIERS), dice.chance(0.5)];
    return { type: "apply", manager, force, subresource: "status", body: { ...head, status } };
  }
  const body = { metadata: metadata(dice, 0.2), status };
  return { type: "merge", manager: dice.pick(UPDATERS), subresource: "status", body };
}

function scaled(dice: Dice, name: string): Operation {
  const replicas = dice.between(0, 3);
  const manager = dice.pick(UPDATERS);
  if (dice.chance(0.5))
    return { type: "merge", manager, subresource: "scale", body: { spec: { replicas } } };
  const body = {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name },
    spec: { replicas },
  };
  return { type: "update", manager, subresource: "scale", body };
}

function patched(dice: Dice, kind: SequenceKind): Operation {
  const manager = dice.pick(UPDATERS);
  if (dice.chance(0.1)) {
    return { type: "merge", manager, body: { metadata: { managedFields: dice.pick([[], [{}]]) } } };
  }
  if (dice.chance(0.35)) return { type: "json", manager, body: jsonPatch(dice, kind) };
  const fields = { metadata: metadata(dice, 0.4), ...kind.make(dice, 0.4) };
  if (kind.origin === "custom" || dice.chance(0.4)) {
    return { type: "merge", manager, body: withNulls(dice, withoutFinalizers(fields)) };
  }
  return { type: "strategic", manager, body: strategicPatch(dice, fields) };
}

/** Some labels and data go. */
function withNulls(dice: Dice, patch: JsonObject): JsonObject {
  if (!dice.chance(0.4)) return patch;
  const gone = { [dice.pick(["a", "b", "c"])]: null };
  const part = patch["data"] === undefined ? "annotations" : "data";
  if (part === "data") return { ...patch, data: { ...(patch["data"] as JsonObject), ...gone } };
  const own = patch["metadata"] as JsonObject;
  return { ...patch, metadata: { ...own, labels: { ...(own["labels"] as JsonObject), ...gone } } };
}

function withoutFinalizers(patch: JsonObject): JsonObject {
  const { finalizers: _, ...own } = patch["metadata"] as JsonObject;
  return { ...patch, metadata: own };
}

function strategicPatch(dice: Dice, fields: JsonObject): JsonObject {
  const spec = fields["spec"] as JsonObject | undefined;
  if (spec === undefined || !dice.chance(0.5)) return withNulls(dice, fields);
  const gone = { [dice.pick(["a", "b", "c"])]: null };
  if (spec["template"] !== undefined) {
    const containers: JsonValue[] = [
      { name: dice.pick(["a", "b", "c"]), image: "shop:2" },
      ...(dice.chance(0.4) ? [{ name: dice.pick(["b", "c"]), $patch: "delete" }] : []),
    ];
    const order = dice.chance(0.3)
      ? { "$setElementOrder/containers": [{ name: "a" }, { name: "b" }, { name: "c" }] }
      : {};
    const volumes = dice.chance(0.3)
      ? { volumes: [{ name: "a", emptyDir: {}, configMap: null }] }
      : {};
    const template = {
      metadata: { annotations: gone },
      spec: { containers, ...order, ...volumes },
    };
    const strategy = dice.chance(0.3)
      ? { strategy: { $retainKeys: ["type"], type: "Recreate" } }
      : {};
    return { spec: { template, ...strategy } };
  }
  if (spec["hosts"] === undefined && Array.isArray(spec["ports"])) {
    return {
      spec: {
        ports: [
          { port: 80, name: "p80", targetPort: 81 },
          { port: 443, $patch: "delete" },
        ],
      },
    };
  }
  return {
    metadata: {
      "$deleteFromPrimitiveList/finalizers": [dice.pick(["x/a", "x/b"])],
      labels: dice.chance(0.5) ? { $patch: "replace", z: "1" } : gone,
    },
  };
}

function jsonPatch(dice: Dice, kind: SequenceKind): JsonValue {
  const key = dice.pick(["a", "b", "c"]);
  return some<JsonValue>(
    dice,
    [
      { op: "add", path: "/metadata/labels", value: { [key]: "7" } },
      { op: "add", path: "/metadata/annotations", value: { [key]: "8", z: "9" } },
      kind.kind === "ConfigMap"
        ? { op: "add", path: "/data", value: { [key]: "j" } }
        : { op: "test", path: "/kind", value: kind.kind },
      ...(kind.kind === "Deployment"
        ? [
            { op: "replace", path: "/spec/replicas", value: dice.between(0, 3) },
            { op: "replace", path: "/spec/template/spec/containers/0/image", value: "shop:3" },
          ]
        : []),
      ...(dice.chance(0.2) ? [{ op: "remove", path: `/metadata/labels/${key}` }] : []),
    ],
    1,
  );
}
