/** Refusals as the dashboard tells them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessLogEntry } from "../../test/kit/access-log-entry.ts";
import { DataDirectory } from "../local/data-directory.ts";
import { systemClock } from "../runtime/clock.ts";
import { DashboardSource } from "./dashboard-source.ts";

const source = new DashboardSource(new DataDirectory("/nonexistent"), systemClock);
const refused = (downstream_remote_address: string): string =>
  source.summaryOf({
    pod: "production/api-0",
    entry: accessLogEntry({
      downstream_remote_address,
      source_principal: null,
      response_code: 403,
      decision: { verdict: "deny", reason: { because: "unknown-destination" } },
    }),
  });

test("refusals of one address are alike, whatever port each connection had", () => {
  assert.equal(refused("10.0.0.7:41000"), refused("10.0.0.7:41001"));
  assert.notEqual(refused("10.0.0.7:41000"), refused("10.0.0.8:41000"));
  assert.notEqual(refused("[fd00::7]:41000"), refused("[fd00::8]:41000"));
  assert.match(
    refused("10.0.0.7:41000"),
    /^unknown 10\.0\.0\.7 -> production\/api-0:8080 GET \/api\/v1\/orders 403, /,
  );
});

test("a mesh without logs has told nothing", async () => {
  const told: unknown[] = [];
  await source.readLogs((logged) => told.push(logged));
  assert.deepEqual(told, []);
});
