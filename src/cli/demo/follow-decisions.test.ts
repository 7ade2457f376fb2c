import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { accessLogEntry } from "../../../test/kit/access-log-entry.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { snapshotOf } from "../../../test/kit/mesh-parts.ts";
import type { Workload } from "../../policy/workload.ts";
import { type AccessLogEntry, formatAccessLogEntry } from "../../telemetry/access-log.ts";
import { followDecisions, type Told } from "./follow-decisions.ts";

const { workloads } = snapshotOf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: production}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: api, command: [api]}]}
`);
const [first, second] = workloads as [Workload, Workload];

let folder: string;
let told: Told[];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true }));
describe("following decisions", () => {
  beforeEach(() => {
    told = [];
  });

  const logs = ({ namespace, name }: Workload): string => join(folder, namespace, name);
  const fileOf = (workload: Workload): string => join(logs(workload), "access.log");
  const line = (changes: Partial<AccessLogEntry>): string =>
    `${formatAccessLogEntry(accessLogEntry(changes))}\n`;
  const paths = (): (string | null)[] => told.map(({ entry }) => entry.path);

  async function begin(workload: Workload, text: string): Promise<void> {
    await mkdir(dirname(fileOf(workload)), { recursive: true });
    await writeFile(fileOf(workload), text);
  }

  /** Runs `play` while decisions of these workloads are followed. */
  async function whileFollowing(
    followed: () => readonly Workload[],
    play: () => Promise<void>,
  ): Promise<void> {
    const controller = new AbortController();
    const following = followDecisions(
      { workloads: followed, directory: folder },
      { tell: (one) => told.push(one), signal: controller.signal },
    );
    try {
      await play();
    } finally {
      controller.abort();
      await following;
    }
  }

  test("only what is new, in the order of its time, without what is no decision", async () => {
    await begin(first, line({ path: "/old" }));
    await begin(second, "");
    let asked = 0;
    const followed = (): readonly Workload[] => {
      asked++;
      return [first, second];
    };
    await whileFollowing(followed, async () => {
      await eventually("a first look", () => asked > 1);
      await appendFile(fileOf(first), line({ path: "/b", start_time: "2026-01-01T00:00:02.000Z" }));
      await appendFile(fileOf(second), line({ path: "/no", decision: null }));
      await eventually("the first line", () => paths().includes("/b"));
      await appendFile(fileOf(second), line({ path: "/c" }));
      await eventually("the second line", () => paths().includes("/c"));
    });
    assert.deepEqual(paths(), ["/b", "/c"]);
    assert.deepEqual(
      told.map(({ judge }) => judge.name),
      ["api-0", "api-1"],
    );
  });

  test("half a line waits for its other half; a log that begins anew is read from its beginning", async () => {
    await begin(first, line({ path: "/old" }));
    const whole = line({ path: "/whole" });
    let asked = 0;
    const followed = (): readonly Workload[] => {
      asked++;
      return [first];
    };
    await whileFollowing(followed, async () => {
      await eventually("a first look", () => asked > 1);
      await appendFile(fileOf(first), whole.slice(0, 40));
      const seen = asked;
      await eventually("another look", () => asked > seen + 4);
      assert.deepEqual(paths(), []);
      await appendFile(fileOf(first), whole.slice(40));
      await eventually("the whole line", () => paths().length === 1);
      await writeFile(fileOf(first), line({ path: "/anew" }));
      await eventually("the line of the new log", () => paths().length === 2);
    });
    assert.deepEqual(paths(), ["/whole", "/anew"]);
  });

  test("a pod that comes later is followed from its first line", async () => {
    await begin(first, "");
    await rm(fileOf(second), { force: true });
    let asked = 0;
    let followed = [first];
    await whileFollowing(
      () => {
        asked++;
        return followed;
      },
      async () => {
        await eventually("a first look", () => asked > 1);
        followed = [first, second];
        await begin(second, line({ path: "/young" }));
        await eventually("its line", () => paths().includes("/young"));
      },
    );
    assert.equal(told[0]?.judge.name, "api-1");
  });
});
