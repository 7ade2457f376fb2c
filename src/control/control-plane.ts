/** Assembles the control plane: resources in, certificates and views out, on one port. */
import { generateKeyPairSync } from "node:crypto";
import { DEFAULT_MESH_SETTINGS } from "../api/mesh-settings.ts";
import { formatLocation, type Issue, type Resource } from "../api/resource.ts";
import { openAuthority } from "../ca/authority-store.ts";
import { authenticateCaller } from "../ca/caller.ts";
import type { CertificateAuthority } from "../ca/certificate-authority.ts";
import { ServiceAccountTokenVerifier } from "../ca/service-account-tokens.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import { unenforcedIssues } from "../policy/unenforced-resources.ts";
import type { Workload } from "../policy/workload.ts";
import type { Clock } from "../runtime/clock.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import { type ServerIdentity, startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { certificateService } from "./certificate-service.ts";
import { type ControlPlaneFlags, DEFAULT_CONTROL_PLANE_FLAGS } from "./control-plane-flags.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import { fingerprint, watchResourceFiles } from "./directory-source.ts";
import { discoveryService, type SubscriberStatus } from "./discovery-service.ts";
import { readResourceFiles } from "./resource-files.ts";
import { ResourceStore } from "./resource-store.ts";
import { feedWorkloadViews } from "./snapshot-feed.ts";

/** `CITADEL_SELF_SIGNED_CA_CERT_TTL`; the authority's own end clamps it (CA-21). */
const SERVER_LIFETIME_MS = 3650 * 24 * 60 * 60 * 1000;
/** A certificate request is the largest thing a caller sends. */
const MAX_RECEIVE_BYTES = 64 * 1024;

/** The resources have issues; the message lists them all. */
export class FaultyResourcesError extends HauberkError {
  readonly code = "HAUBERK_FAULTY_RESOURCES";
}

export interface ControlPlaneOptions {
  /** Files and folders of resources; watched. */
  readonly paths: readonly string[];
  readonly dataDirectory: string;
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
  /** What runs now, and resources that are in no file. */
  readonly running: Watched<RunningNow>;
  readonly flags?: ControlPlaneFlags;
  readonly log: Log;
  readonly clock: Clock;
}

export interface ControlPlane {
  /** `address:port` */
  readonly listen: string;
  /** PEM of the root that its own certificate chains to. */
  readonly rootPem: string;
  subscribers(): readonly SubscriberStatus[];
  close(): Promise<void>;
}

/** @throws FaultyResourcesError, AuthorityRefusedError, KeyDirectoryError, ListenError */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { paths, dataDirectory, running, log, clock } = options;
  const { flags = DEFAULT_CONTROL_PLANE_FLAGS } = options;
  const parsed = await readResourceFiles(paths);
  refuseIssues([...parsed.issues, ...unenforcedIssues(parsed.resources)]);
  const { trustDomain } = settingsOf(parsed.resources);
  const [authority, tokens] = await Promise.all([
    openAuthority({
      directory: dataDirectory,
      trustDomain,
      now: clock.now(),
      lifetimeMs: flags.selfSignedLifetimeMs,
    }),
    ServiceAccountTokenVerifier.open(dataDirectory),
  ]);
  const store = new ResourceStore(parsed.resources, (issues) => logRefusal(issues, log));
  const rootsPem = new WatchedValue<readonly string[]>(authority.rootsPem);
  const { resources } = store;
  const { gatewaySelectors } = flags;
  const views = feedWorkloadViews({ resources, running, rootsPem, gatewaySelectors });
  const discovery = discoveryService({ views, trustDomain, clock, log });
  const authenticate = authenticateCaller({
    trustDomain,
    tokens,
    clock,
    isLivePod: (pod) => running.current.workloads.some((workload) => isSamePod(workload, pod)),
    isLiveAccount: ({ namespace, serviceAccount }) =>
      running.current.workloads.some(
        (workload) =>
          workload.namespace === namespace && workload.serviceAccount === serviceAccount,
      ),
  });
  const server = await startSecureGrpcServer({
    host: options.address,
    port: options.port,
    identity: new WatchedValue(issueServerIdentity(authority, options)),
    services: [
      certificateService({ authority, authenticate, lifetimes: flags, clock, log }),
      discovery.service,
    ],
    maxReceiveBytes: MAX_RECEIVE_BYTES,
    log,
  });
  const source = watchResourceFiles(paths, { store, log, initial: fingerprint(parsed) });
  const listen = `${options.address}:${server.port}`;
  log.info("control plane serves", { listen, resources: parsed.resources.length, trustDomain });
  return {
    listen,
    rootPem: authority.rootsPem.join("\n"),
    subscribers: () => discovery.status(),
    async close() {
      source.close();
      await server.close();
    },
  };
}

function refuseIssues(issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const lines = issues.map(
    ({ source, path, problem }) => `${formatLocation(source)} ${path} ${problem}`,
  );
  throw new FaultyResourcesError(`the resources have issues:\n${lines.join("\n")}`);
}

function logRefusal(issues: readonly Issue[], log: Log): void {
  for (const { source, path, problem } of issues) {
    log.error("resource refused", { at: formatLocation(source), path, problem });
  }
  log.error("the last good resources stay in force", { issues: issues.length });
}

function settingsOf(resources: readonly Resource[]): typeof DEFAULT_MESH_SETTINGS {
  return (
    resources.find((resource) => resource.kind === "MeshConfig")?.settings ?? DEFAULT_MESH_SETTINGS
  );
}

function isSamePod(
  workload: Workload,
  pod: { namespace: string; name: string; uid: string; serviceAccount: string },
): boolean {
  return (
    workload.namespace === pod.namespace &&
    workload.name === pod.name &&
    workload.uid === pod.uid &&
    workload.serviceAccount === pod.serviceAccount
  );
}

/** A new key each start: it never rests anywhere. */
function issueServerIdentity(
  authority: CertificateAuthority,
  { address, clock }: ControlPlaneOptions,
): ServerIdentity {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { chainPem } = authority.issueServer({
    publicKey,
    dnsNames: [CONTROL_PLANE_NAME, "localhost"],
    ipAddresses: [address],
    lifetimeMs: SERVER_LIFETIME_MS,
    now: clock.now(),
  });
  return {
    certificateChainPem: chainPem.join("\n"),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    clientRootsPem: authority.rootsPem,
  };
}
