/**
 * The control plane of our sidecars, in this process: the real certificate service and the real discovery service, with
 * views made by hand.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { authenticateCaller } from "../../../src/ca/caller.ts";
import { openIssueLog } from "../../../src/ca/issue-log.ts";
import {
  ServiceAccountTokens,
  ServiceAccountTokenVerifier,
} from "../../../src/ca/service-account-tokens.ts";
import { ProxyPushes } from "../../../src/control/aggregated-discovery/proxy-pushes.ts";
import { authorityMetrics } from "../../../src/control/authority-metrics.ts";
import { certificateService } from "../../../src/control/certificate-service.ts";
import { discoveryService } from "../../../src/control/discovery-service.ts";
import type { WorkloadView } from "../../../src/policy/workload-view.ts";
import { systemClock as clock } from "../../../src/runtime/clock.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { WatchedValue } from "../../../src/runtime/watched.ts";
import { startSecureGrpcServer } from "../../../src/wire/secure-grpc-server.ts";
import type { ThrowawayAuthority } from "../../kit/throwaway-authority.ts";

const MAX_RECEIVE_BYTES = 64 * 1024;
const TOKEN_LIFETIME_MS = 3_600_000;

export interface BenchControlPlane {
  /** `host:port` */
  readonly address: string;
  /** From now on; changes reach the sidecar that asked for it. */
  setView(view: WorkloadView): void;
  /** Of a pod whose view is set. */
  issueToken(view: WorkloadView): Promise<string>;
  close(): Promise<void>;
}

export async function startControlPlane(
  mesh: ThrowawayAuthority,
  folder: string,
): Promise<BenchControlPlane> {
  const file = createWriteStream(join(folder, "control-plane.log"));
  const log = createLog((line) => file.write(`${line}\n`), clock);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tokens = new ServiceAccountTokens(privateKey);
  const verifier = new ServiceAccountTokenVerifier(createPublicKey(privateKey));
  const views = new WatchedValue<ReadonlyMap<string, WorkloadView>>(new Map());
  const issuer = new WatchedValue(mesh.authority);
  const rootsPem = [mesh.rootPem];
  const trust = new WatchedValue({ rootsPem, taintedAuthorities: [], crlsPem: [] });
  const issueLog = await openIssueLog({ directory: folder, clock, log });
  const common = { trustDomain: "cluster.local", trust, clock, log };
  const holderOf = (serial: string, key: string) => issueLog.holderOf(serial, key);
  const isLivePod = ({ namespace, name }: { readonly namespace: string; readonly name: string }) =>
    views.current.has(`${namespace}/${name}`);
  const certificates = certificateService({
    ...common,
    issuer,
    authenticate: authenticateCaller({
      ...common,
      tokens: verifier,
      isLivePod,
      holderOf,
    }),
    issueLog,
    metrics: authorityMetrics({ issuer, trust, clock }),
  });
  const discovery = discoveryService({
    ...common,
    views,
    holderOf,
    isLivePod,
    pushes: new ProxyPushes(views),
    isJudgedByEnvoy: () => false,
  });
  const server = await startSecureGrpcServer({
    host: "127.0.0.1",
    port: 0,
    identity: new WatchedValue({ ...mesh.serverCertificate(), clientRootsPem: rootsPem }),
    services: [certificates, discovery.service],
    maxReceiveBytes: MAX_RECEIVE_BYTES,
    log,
  });
  return {
    address: `127.0.0.1:${server.port}`,
    setView: (view) => views.set(new Map(views.current).set(keyOf(view), view)),
    issueToken: ({ workload: { namespace, name, serviceAccount } }) =>
      tokens.issue({
        namespace,
        podName: name,
        podUid: name,
        serviceAccount,
        now: clock.now(),
        lifetimeMs: TOKEN_LIFETIME_MS,
      }),
    close: async () => {
      await server.close();
      file.end();
    },
  };
}

function keyOf({ workload: { namespace, name } }: WorkloadView): string {
  return `${namespace}/${name}`;
}
