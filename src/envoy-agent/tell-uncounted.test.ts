import assert from "node:assert/strict";
import { test } from "node:test";
import { appliedRateLimit } from "../../test/kit/applied-rate-limit.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { workloadView } from "../../test/kit/sidecar-fixture.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { tellUncounted } from "./tell-uncounted.ts";

test("a limit that Envoy cannot keep is told once, and again when it comes again", () => {
  const uncounted = workloadView({
    rootsPem: [],
    rateLimits: [appliedRateLimit({ key: ["source.namespace"] }), appliedRateLimit({ name: "b" })],
  });
  const without = workloadView({ rootsPem: [] });
  const views = new WatchedValue<WorkloadView | undefined>(undefined);
  const log = recordedLog();
  const told = (): number => log.lines.filter(({ level }) => level === "warn").length;
  const end = tellUncounted(views, log);
  assert.equal(told(), 0);
  views.set(uncounted);
  views.set({ ...uncounted });
  assert.equal(told(), 1);
  views.set(without);
  views.set(uncounted);
  assert.equal(told(), 2);
  end();
  views.set(without);
  views.set(uncounted);
  assert.equal(told(), 2);
});
