import assert from "node:assert/strict";
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { workloadView } from "../../test/kit/sidecar-fixture.ts";
import { DECISION_PIPE } from "../envoy/decision-log.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { openDecisionLog } from "./decision-log.ts";

const LINE = `${JSON.stringify({ start_time: "2026-11-23T10:00:00.000Z", reporter: "source" })}\n`;

test("a flood is read to its end, and so much of it is logged as the agent can bear", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "decisions-"));
  const views = new WatchedValue<WorkloadView | undefined>(workloadView({ rootsPem: [] }));
  const lines: string[] = [];
  const log = recordedLog();
  const now = new Date();
  const opened = await openDecisionLog({
    folder,
    views,
    write: (line) => lines.push(line),
    log,
    clock: { now: () => now },
  });
  context.after(async () => {
    await opened?.close();
    await rm(folder, { recursive: true });
  });
  const pipe = join(folder, DECISION_PIPE);
  await appendFile(pipe, `no JSON\n${LINE}`);
  await eventually("the first", () => lines.length === 1);
  assert.equal(JSON.parse(lines[0] ?? "").reporter, "source");
  await appendFile(pipe, LINE.repeat(10_500));
  await eventually("what is left out", () => log.find("decisions are not logged").length > 0);
  assert.equal(lines.length, 10_000 - 1);
});
