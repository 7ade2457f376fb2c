import assert from "node:assert/strict";
import { test } from "node:test";
import { type FoundProblems, problemHappenings } from "./problem-happenings.ts";

function found(problem: string | undefined): FoundProblems {
  const workload = { namespace: "shop", name: "api-0", uid: "u" };
  return { pods: [{ planned: { workload }, containers: [{ name: "app", problem }] }] };
}

const cases: readonly [
  what: string,
  before: FoundProblems | undefined,
  problem: string | undefined,
  told: readonly string[],
][] = [
  ["nothing", undefined, undefined, []],
  ["what was found before", found("status 503"), "status 503", []],
  [
    "a readiness probe",
    found(undefined),
    "status 503",
    ["Warning Unhealthy: Readiness probe failed: status 503"],
  ],
  [
    "a liveness probe",
    undefined,
    "liveness probe: no answer within 1 s",
    [
      "Warning Unhealthy: Liveness probe failed: no answer within 1 s",
      "Normal Killing: Container app failed liveness probe, will be restarted",
    ],
  ],
  [
    "a hook before the end",
    found("status 503"),
    "preStop hook: sh ended with 3",
    ["Warning FailedPreStopHook: PreStopHook failed: sh ended with 3"],
  ],
  [
    "a hook after the start",
    undefined,
    "postStart hook: sh ended with 7",
    [
      "Warning FailedPostStartHook: PostStartHook failed: sh ended with 7",
      "Normal Killing: FailedPostStartHook",
    ],
  ],
];

for (const [what, before, problem, told] of cases)
  test(what, () => {
    const happenings = problemHappenings(before, found(problem));
    const lines = happenings.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
    assert.deepEqual(lines, told);
    for (const { about, component } of happenings)
      assert.deepEqual([about.fieldPath, component], ["spec.containers{app}", "kubelet"]);
  });
