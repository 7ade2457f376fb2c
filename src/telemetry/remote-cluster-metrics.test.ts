import assert from "node:assert/strict";
import { test } from "node:test";
import { createRemoteClusterMetrics, type RemoteClusterFigures } from "./remote-cluster-metrics.ts";

const NOW = new Date("2026-01-31T12:00:00Z");
const HEARD_AT = new Date("2026-01-31T11:59:30Z");

test("one series for each cluster that is followed now", async () => {
  let figures: RemoteClusterFigures[] = [];
  const metrics = createRemoteClusterMetrics(() => figures, { now: () => NOW });
  const series = async () =>
    (await metrics())
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.replace("hauberk_remote_cluster_", ""));
  assert.deepEqual(await series(), []);
  figures = [
    { cluster: "east", isConnected: true, endpoints: 7, heardAt: NOW },
    { cluster: "north", isConnected: false, endpoints: 2, heardAt: HEARD_AT },
    { cluster: "south", isConnected: false, endpoints: 0, heardAt: undefined },
  ];
  assert.deepEqual(await series(), [
    'connected{cluster="east"} 1',
    'connected{cluster="north"} 0',
    'connected{cluster="south"} 0',
    'endpoints{cluster="east"} 7',
    'endpoints{cluster="north"} 2',
    'endpoints{cluster="south"} 0',
    'age_seconds{cluster="east"} 0',
    'age_seconds{cluster="north"} 30',
  ]);
  figures = [];
  assert.deepEqual(await series(), []);
});
