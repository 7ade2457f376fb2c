import assert from "node:assert/strict";
import { test } from "node:test";
import type { SettledOwner } from "../local/settled-ports.ts";
import { formatMeshEvent } from "./format-mesh-event.ts";

const owner: SettledOwner = {
  title: "Deployment istio-system/opa-authorizer",
  replicas: 2,
  ports: [8181, 9191],
  source: { file: "opa.yaml", line: 1 },
};
const said = (changes: Partial<SettledOwner>) =>
  formatMeshEvent({ type: "ports-settled", owner: { ...owner, ...changes } });

test("ports of a program's own, and what becomes of its replicas, are told in one line", () => {
  assert.deepEqual(said({}), [
    "Deployment istio-system/opa-authorizer listens on 127.0.0.1, ports 8181, 9191, as it says itself: 1 of its 2 replicas runs, since all pods share this machine's loopback",
  ]);
  assert.deepEqual(said({ replicas: 1, ports: [9191] }), [
    "Deployment istio-system/opa-authorizer listens on 127.0.0.1, port 9191, as it says itself",
  ]);
});

test("what a process keeps running is told where it ended and was started again", () => {
  const problem = "Envoy ended with SIGKILL";
  assert.deepEqual(
    formatMeshEvent({
      type: "process",
      title: "shop/api-0 sidecar",
      event: { type: "restarted", problem },
    }),
    ["shop/api-0 sidecar: Envoy ended with SIGKILL; started again"],
  );
});

test("a hook that failed is told with what it failed by", () => {
  assert.deepEqual(
    formatMeshEvent({
      type: "process",
      title: "shop/api-0 app",
      event: { type: "hook-failed", hook: "preStop", problem: "sh ended with 3" },
    }),
    ["shop/api-0 app: its preStop hook failed: sh ended with 3"],
  );
});
