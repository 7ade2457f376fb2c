import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { upToDate } from "../../test/kit/operated-ring.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { type OpenedAuthorityRing, openAuthorityRing } from "../ca/authority-ring.ts";
import { systemClock } from "../runtime/clock.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { AuthorityOperations } from "./authority-operations.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import type { SubscriberStatus } from "./discovery-service.ts";

const MESH = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api, namespace: shop }
spec:
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec: { containers: [{ name: api, image: api, command: [api] }] }
---
apiVersion: batch/v1
kind: Job
metadata: { name: import, namespace: shop }
spec:
  template:
    spec: { restartPolicy: Never, containers: [{ name: import, image: i, command: [i] }] }
`;

const folders: string[] = [];
let ring: OpenedAuthorityRing;
let subscribers: SubscriberStatus[];
let operations: AuthorityOperations;
const log = recordedLog();

describe("operations on authorities", () => {
  beforeEach(async () => {
    const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
    folders.push(directory);
    ring = await openAuthorityRing({ directory, trustDomain: "cluster.local" });
    const { workloads } = snapshotOf(MESH);
    const running = new WatchedValue<RunningNow>({ workloads, resources: [] });
    subscribers = [upToDate(ring)];
    operations = new AuthorityOperations({
      ring,
      running,
      subscribers: () => subscribers,
      clock: systemClock,
      log,
    });
  });
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  const person = { by: "a person" } as const;

  test("each step waits until the one sidecar that lives is ready; a Job that is gone counts for nothing", async () => {
    const prepared = await operations.take({ step: "prepare", gate: "ask", ...person });
    assert.equal(prepared.type, "ca-taken");
    const early = await operations.take({ step: "activate", gate: "ask", ...person });
    assert.ok(early.type === "ca-blocked");
    assert.deepEqual(
      early.blockers.map(({ pod }) => pod),
      ["shop/api-0"],
    );
    assert.deepEqual(operations.overview().next.blockers, early.blockers);
    subscribers = [upToDate(ring)];
    assert.equal(
      (await operations.take({ step: "activate", gate: "ask", ...person })).type,
      "ca-taken",
    );
    const revoked = await operations.take({ step: "revoke", gate: "ask", ...person });
    assert.ok(revoked.type === "ca-blocked");
    assert.match(revoked.blockers[0]?.lacks ?? "", /^still presents a certificate of /);
    subscribers = [upToDate(ring)];
    assert.equal(
      (await operations.take({ step: "revoke", gate: "ask", ...person })).type,
      "ca-taken",
    );
    assert.equal(ring.status().length, 1);
  });

  test("force takes the step, says what it broke, and is remembered", async () => {
    await operations.take({ step: "prepare", gate: "ask", ...person });
    const forced = await operations.take({ step: "activate", gate: "forced", ...person });
    assert.ok(forced.type === "ca-taken");
    assert.match(forced.broke ?? "", /^1 sidecar will refuse/);
    assert.equal(ring.history().at(-1)?.forced, true);
    assert.match(
      String(log.find("authority rotation: the new").at(-1)?.fields["broke"]),
      /^1 sidecar/,
    );
  });

  test("a step that cannot be taken is refused at once, and nobody is waited for", async () => {
    subscribers = [];
    for (const step of ["activate", "revoke", "taint", "rollback"] as const)
      assert.equal((await operations.take({ step, gate: "ask", ...person })).type, "refused", step);
  });

  test("steps that come at once are taken one after the other", async () => {
    const both = await Promise.all([
      operations.take({ step: "prepare", gate: "ask", ...person }),
      operations.take({ step: "prepare", gate: "ask", ...person }),
    ]);
    assert.deepEqual(
      both.map(({ type }) => type),
      ["ca-taken", "refused"],
    );
  });

  test("each line of the log names the authority that it speaks of", async () => {
    const told = (): readonly unknown[] => {
      const last = log.find("authority rotation").at(-1);
      return [last?.message.replace("authority rotation: ", ""), last?.fields["authority"]];
    };
    const step = (name: "prepare" | "activate" | "revoke" | "rollback") =>
      operations.take({ step: name, gate: "forced", ...person });
    const former = ring.status()[0]?.id;
    await step("prepare");
    const dropped = ring.status()[1]?.id;
    await step("rollback");
    assert.deepEqual(told(), ["what was prepared is dropped, and trusted no more", dropped]);
    await step("prepare");
    const next = ring.status()[1]?.id;
    await step("activate");
    assert.equal(told()[1], next);
    await step("rollback");
    assert.deepEqual(told(), ["back to the former authority, which signs from now on", former]);
    await step("activate");
    await step("revoke");
    assert.deepEqual(told(), ["the former authority is trusted no more", former]);
    assert.equal(log.find("authority rotation").at(-1)?.fields["active"], next);
  });

  test("what was rolled back signs again only when all sidecars have the newest roots", async () => {
    await operations.take({ step: "prepare", gate: "ask", ...person });
    const [, next] = ring.status();
    await operations.take({ step: "activate", gate: "forced", ...person });
    await operations.take({ step: "rollback", gate: "ask", ...person });
    const early = await operations.take({ step: "activate", gate: "ask", ...person });
    assert.equal(early.type, "ca-blocked");
    subscribers = [upToDate(ring)];
    await operations.take({ step: "activate", gate: "ask", ...person });
    assert.equal(ring.status()[0]?.id, next?.id);
  });

  test("a step that a machine chose before a person took another is not taken", async () => {
    await operations.take({ step: "prepare", gate: "ask", ...person });
    await operations.take({ step: "activate", gate: "forced", ...person });
    const after = { step: ring.history().at(-1) };
    const before = ring.status()[1]?.id;
    const [, late] = await Promise.all([
      operations.take({ step: "rollback", gate: "ask", ...person }),
      operations.take({
        step: "revoke",
        gate: "forced",
        after,
        by: "the folder of the custom authority",
      }),
    ]);
    assert.equal(late.type, "refused");
    assert.equal(ring.status()[0]?.id, before);
    assert.equal(ring.status().length, 2);
  });
});
