/** A ring of authorities on disk with one sidecar that lives, and the steps that wait for it, for tests of rotation. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type OpenedAuthorityRing, openAuthorityRing } from "../../src/ca/authority-ring.ts";
import type { PluggedAuthority } from "../../src/ca/plugged-authority.ts";
import { AuthorityOperations } from "../../src/control/authority-operations.ts";
import type { RunningNow } from "../../src/control/control-plane-messages.ts";
import type { SubscriberStatus } from "../../src/control/discovery-service.ts";
import { trustFingerprint } from "../../src/control/trust-fingerprint.ts";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { WatchedValue } from "../../src/runtime/watched.ts";
import { snapshotOf } from "./mesh-parts.ts";
import { type RecordedLog, recordedLog } from "./recorded-log.ts";

/** The sidecar's, as gates name it. */
export const SIDECAR = "shop/api-0";
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
`;

export interface OperatedRing {
  readonly ring: OpenedAuthorityRing;
  readonly operations: AuthorityOperations;
  readonly log: RecordedLog;
  /** The sidecar acknowledges the newest trust, and presents a certificate of the active authority. */
  catchUp(): void;
  /** The newest trust alone; its certificate stays as it is. */
  acknowledge(): void;
  disconnect(): void;
  /** `active, retiring` */
  states(): string;
}

/** @param options.plugged the first authority; absent: a self-signed one */
export async function operatedRing(
  context: Pick<TestContext, "after">,
  { plugged }: { readonly plugged?: PluggedAuthority } = {},
): Promise<OperatedRing> {
  const directory = await mkdtemp(join(tmpdir(), "hauberk-"));
  context.after(() => rm(directory, { recursive: true }));
  const ring = await openAuthorityRing({
    directory,
    trustDomain: "cluster.local",
    ...(plugged && { plugged }),
  });
  const log = recordedLog();
  const { workloads } = snapshotOf(MESH);
  const running = new WatchedValue<RunningNow>({ workloads, resources: [] });
  let subscribers: readonly SubscriberStatus[] = [upToDate(ring)];
  const clock = systemClock;
  const operations = new AuthorityOperations({
    ring,
    running,
    subscribers: () => subscribers,
    clock,
    log,
  });
  return {
    ring,
    operations,
    log,
    catchUp() {
      subscribers = [upToDate(ring)];
    },
    acknowledge() {
      const trustAcked = trustFingerprint(ring.trust.current);
      subscribers = subscribers.map((one) => ({ ...one, trustAcked }));
    },
    disconnect() {
      subscribers = [];
    },
    states: () =>
      ring
        .status()
        .map(({ state }) => state)
        .join(", "),
  };
}

/** The one sidecar there is, which has everything as it is to be now. */
export function upToDate(ring: OpenedAuthorityRing): SubscriberStatus {
  const active = ring.status().find(({ state }) => state === "active");
  assert.ok(active);
  return {
    name: SIDECAR,
    principal: parseSpiffeId("spiffe://cluster.local/ns/shop/sa/default"),
    remoteAddress: "127.0.0.1:1",
    trustAcked: trustFingerprint(ring.trust.current),
    pod: {
      namespace: "shop",
      podName: "api-0",
      podUid: "uid of shop/api-0",
      serviceAccount: "default",
    },
    certificate: {
      serialNumber: "01",
      authorityKeyIdentifier: active.keyIdentifier,
      notBefore: new Date(),
      notAfter: new Date(Date.now() + 3_600_000),
    },
  };
}
