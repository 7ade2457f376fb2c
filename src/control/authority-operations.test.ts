import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { snapshotOf } from "../../test/kit/mesh-parts.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { type OpenedAuthorityRing, openAuthorityRing } from "../ca/authority-ring.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { systemClock } from "../runtime/clock.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { AuthorityOperations } from "./authority-operations.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import type { SubscriberStatus } from "./discovery-service.ts";
import { distrustedAuthorities } from "./distrusted-authorities.ts";
import { trustFingerprint } from "./trust-fingerprint.ts";

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

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  folders.push(directory);
  ring = await openAuthorityRing({ directory, trustDomain: "cluster.local" });
  const { workloads } = snapshotOf(MESH);
  const running = new WatchedValue<RunningNow>({ workloads, resources: [] });
  subscribers = [connectedNow()];
  operations = new AuthorityOperations({
    ring,
    running,
    subscribers: () => subscribers,
    clock: systemClock,
    log,
  });
});
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** A sidecar that has everything as it is to be now. */
function connectedNow(): SubscriberStatus {
  const active = ring.status().find(({ state }) => state === "active");
  assert.ok(active);
  return {
    name: "shop/api-0",
    principal: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/default"),
    remoteAddress: "127.0.0.1:1",
    trustAcked: trustFingerprint(ring.trust.current),
    certificate: {
      serialNumber: "01",
      authorityKeyIdentifier: active.keyIdentifier,
      notBefore: new Date(),
      notAfter: new Date(Date.now() + 3_600_000),
    },
  };
}

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
  subscribers = [connectedNow()];
  assert.equal(
    (await operations.take({ step: "activate", gate: "ask", ...person })).type,
    "ca-taken",
  );
  const revoked = await operations.take({ step: "revoke", gate: "ask", ...person });
  assert.ok(revoked.type === "ca-blocked");
  assert.match(revoked.blockers[0]?.lacks ?? "", /^still presents a certificate of /);
  subscribers = [connectedNow()];
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

test("an authority that left with its root is distrusted, one that came back is not", async () => {
  const distrusted = distrustedAuthorities(ring);
  const former = ring.status()[0]?.keyIdentifier ?? "";
  await ring.prepare("self-signed");
  await ring.take("activate", { forced: false });
  assert.deepEqual([...distrusted.current], []);
  await ring.take("revoke", { forced: false });
  assert.deepEqual([...distrusted.current], [former]);
});
