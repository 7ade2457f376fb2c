/**
 * The recorded sequences once more, over HTTPS: what was played to a real kube-apiserver is played to ours, and every
 * object and refusal is the same. Steps that the real server refused for what an object says are left out: whoever admits
 * changes judges that.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { apiServerStage, put, stageStore } from "../../../test/kit/api-server-stage.ts";
import type { RecordedSequence } from "../../../test/kit/kubernetes/comparable-object.ts";
import { operationSequence } from "../../../test/kit/kubernetes/operation-sequences.ts";
import {
  callOf,
  pathOf,
  SEQUENCE_NAMESPACE,
  stepOf,
  versioned,
} from "../../../test/kit/kubernetes/sequence-calls.ts";
import { objectAt } from "./kinds/json-access.ts";
import type { KubernetesObject } from "./kinds/kubernetes-object.ts";
import type { ServedKind } from "./kinds/served-kind.ts";

const recorded: RecordedSequence[] = JSON.parse(
  readFileSync("test/goldens/kubernetes/sequences.json", "utf8"),
);
const BORN = Date.parse("2026-01-01T00:00:00Z");

/** What a real server gives a Service. */
function withAddress({ kind }: ServedKind, object: KubernetesObject): KubernetesObject {
  if (kind !== "Service") return object;
  const given = { clusterIP: "10.96.0.2", clusterIPs: ["10.96.0.2"], ipFamilies: ["IPv4"] };
  const spec = { ...given, ipFamilyPolicy: "SingleStack", ...objectAt(object, "spec") };
  return { ...object, spec };
}

test("sequences of changes leave what a kube-apiserver leaves", async (context) => {
  let now = BORN;
  const store = stageStore({ clock: { now: () => new Date(now) }, complete: withAddress });
  put(store, { apiVersion: "v1", kind: "Namespace", metadata: { name: SEQUENCE_NAMESPACE } });
  const { ask } = await apiServerStage(context, { store });
  assert.ok(recorded.length >= 200);
  for (const { seed, steps } of recorded) {
    const sequence = operationSequence(seed);
    let before: KubernetesObject | undefined;
    for (const [index, operation] of sequence.operations.entries()) {
      const expected = steps[index];
      if (expected === undefined || (expected.status >= 400 && expected.status !== 409)) continue;
      now = BORN + (expected.at ?? 0) * 1_000;
      const {
        contentType = "application/json",
        path,
        ...call
      } = callOf(sequence, versioned(operation, before));
      const answer = await ask(path, { ...call, headers: { "content-type": contentType } });
      const current = await ask(pathOf(sequence));
      const after = current.status === 200 ? (current.body as KubernetesObject) : undefined;
      const what = `seed ${seed}, step ${index}: ${JSON.stringify(operation)}`;
      assert.deepEqual(stepOf(answer, before, after), expected, what);
      before = after;
    }
  }
});
