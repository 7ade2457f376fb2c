/** Assembles the control plane: resources in, certificates and views out, on one port. */
import { DEFAULT_MESH_SETTINGS } from "../api/mesh-settings.ts";
import { DEFAULT_CLUSTER_NAME } from "../api/remote-cluster.ts";
import { formatLocation, type Issue, type Resource } from "../api/resource.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { untrustedProblem } from "../identity/foreign-chain.ts";
import { unenforcedIssues } from "../policy/unenforced-resources.ts";
import { unreachableRemoteClusters } from "../policy/unreachable-remote-clusters.ts";
import type { Clock } from "../runtime/clock.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import type { CertificateMetrics } from "../telemetry/certificate-metrics.ts";
import { startSecureGrpcServer } from "../wire/secure-grpc-server.ts";
import { openAggregatedDiscovery } from "./aggregated-discovery/aggregated-discovery-service.ts";
import { ProxyPushes } from "./aggregated-discovery/proxy-pushes.ts";
import type { ProxyStreamStatus } from "./aggregated-discovery/proxy-stream-status.ts";
import { type ControlPlaneFlags, DEFAULT_CONTROL_PLANE_FLAGS } from "./control-plane-flags.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import { ControlPlaneSvid } from "./control-plane-svid.ts";
import { discoveryService, type SubscriberStatus } from "./discovery-service.ts";
import { startFederation } from "./federation.ts";
import { followTokenKeys } from "./key-sets/follow-token-keys.ts";
import { openAuthorities } from "./open-authorities.ts";
import { openIssuing } from "./open-issuing.ts";
import { openRateLimits } from "./open-rate-limits.ts";
import { operateAuthorities } from "./operate-authorities.ts";
import type { RefusedResource } from "./refused-resources.ts";
import { rehearseChange, rehearseSoon } from "./rehearsed-change.ts";
import { ResourceStore } from "./resource-store.ts";
import { ServingIdentity } from "./serving-identity.ts";
import { openSeveralClusters, type SeveralClusters } from "./several-clusters.ts";
import { feedWorkloadViews } from "./snapshot-feed.ts";
import { refusedView, tellRefusals } from "./tell-refusals.ts";
import type { WayOutSettings } from "./way-out.ts";
import { TextReader, type WrittenText } from "./written-texts.ts";

/** The names that an Envoy subscribes to, and the versions it kept, are the largest thing a caller sends. */
const MAX_RECEIVE_BYTES = { strangers: 256 * 1024, verified: 2 * 1024 * 1024 };

/** The resources have issues; the message lists them all. */
export class FaultyResourcesError extends HauberkError {
  readonly code = "HAUBERK_FAULTY_RESOURCES";
}

export interface ControlPlaneOptions {
  /** All that is written of the mesh. */
  readonly texts: Watched<readonly WrittenText[]>;
  readonly dataDirectory: string;
  /** What the mesh calls itself; absent: "Kubernetes". */
  readonly cluster?: string | undefined;
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
  /** What runs now, and resources that are in no text. */
  readonly running: Watched<RunningNow>;
  /** Unix socket on which it takes questions and orders; absent: none. */
  readonly socket?: string | undefined;
  /** Folder of a custom authority; watched. */
  readonly cacerts?: string | undefined;
  /** Absent: hosts of others are reached as any program does. */
  readonly outside?: WayOutSettings | undefined;
  /** Where metrics are served on loopback; absent: on the socket alone. */
  readonly metricsPort?: number | undefined;
  /** Hears in one line what whoever runs the mesh should, such as a step of rotation. */
  readonly announce?: ((line: string) => void) | undefined;
  /** Hears which resources are not in force everywhere, because proxies refuse them, whenever others are. */
  readonly onRefused?: ((resources: readonly RefusedResource[]) => void) | undefined;
  /** What `onRefused` heard last of an earlier control plane: it stands until proxies have had time to come back. */
  readonly refusedBefore?: readonly RefusedResource[] | undefined;
  /** Where the trust bundle is served to other trust domains, on loopback; absent: nowhere. */
  readonly bundleEndpointPort?: number | undefined;
  readonly flags?: ControlPlaneFlags;
  readonly log: Log;
  readonly clock: Clock;
}

export interface ControlPlane {
  /** `address:port` */
  readonly listen: string;
  /** PEM of all roots that are trusted now; its own certificate chains to one of them. */
  readonly rootPem: Watched<string>;
  subscribers(): readonly SubscriberStatus[];
  /** Envoys. */
  proxies(): readonly ProxyStreamStatus[];
  close(): Promise<void>;
}

/** @throws FaultyResourcesError, AuthorityRefusedError, PluggedAuthorityError, KeyDirectoryError, IssueLogError, ListenError */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { texts, running, log, clock } = options;
  const { flags = DEFAULT_CONTROL_PLANE_FLAGS, cluster = DEFAULT_CLUSTER_NAME } = options;
  const reader = new TextReader();
  const parsed = reader.read(texts.current);
  refuseIssues([...parsed.issues, ...unenforcedIssues(parsed.resources)]);
  const { trustDomain } = settingsOf(parsed.resources);
  const { selfSignedLifetimeMs, gatewaySelectors, gatewayScope } = flags;
  const { ring } = await openAuthorities({ ...options, trustDomain, selfSignedLifetimeMs });
  const { issuer, trust } = ring;
  const issuing = await openIssuing({
    ...options,
    flags,
    cluster,
    trustDomain,
    ring,
  });
  const { authenticate, holderOf, isLivePod } = issuing;
  const judge = (next: readonly Resource[]): readonly Issue[] =>
    running.current.serviceAddresses === undefined ? [] : unreachableRemoteClusters(next);
  const store = new ResourceStore(parsed.resources, (issues) => logRefusal(issues, log), judge);
  const { resources } = store;
  const own = new ControlPlaneSvid({ issuer, trustDomain, clock, log });
  const { svid } = own;
  const clusters = await openSeveralClusters({
    ...options,
    cluster,
    trustDomain,
    resources,
    svid,
    trust,
  });
  const remoteClusters = clusters.services;
  const tokenKeys = await followTokenKeys(resources, options);
  const feed = {
    ...{ resources, running, trust, remoteClusters, gatewaySelectors, gatewayScope },
    tokenKeys: tokenKeys.keys,
  };
  const { snapshots, views } = feedWorkloadViews(feed);
  const pushes = new ProxyPushes(views);
  const envoys = openAggregatedDiscovery({ views, authenticate, trust, pushes, clock, log });
  const isJudgedByEnvoy = (pod: string): boolean => envoys.serves(pod);
  const discovery = discoveryService({
    ...{ views, trustDomain, trust, holderOf, isLivePod, pushes, isJudgedByEnvoy, clock, log },
  });
  const subscribers = (): readonly SubscriberStatus[] => discovery.status();
  const federation = await startFederation({
    ...options,
    trustDomain,
    issuer,
    trust,
    svid,
    authenticate,
  });
  const rateLimits = openRateLimits({ ...options, trustDomain, resources, authenticate });
  const serving = new ServingIdentity({ ...options, issuer, trust });
  const server = await startSecureGrpcServer({
    host: options.address,
    port: options.port,
    identity: serving.identity,
    services: [
      ...[issuing.service, discovery.service, federation.service, clusters.serve(snapshots)],
      ...[rateLimits.serve(views), envoys.service],
    ],
    maxReceiveBytes: MAX_RECEIVE_BYTES,
    explainRefusal: (certificate, error) =>
      untrustedProblem(certificate, { error, rootsPem: trust.current.rootsPem }),
    log,
  });
  const listen = `${options.address}:${server.port}`;
  const untell = tellRefusals({
    refusals: () => [...subscribers().flatMap(refusedView), ...envoys.refusals()],
    viewOf: (pod) => views.current.get(pod),
    before: options.refusedBefore ?? [],
    tell: (refused) => options.onRefused?.(refused),
  });
  const operation = await operateAuthorities({
    ...options,
    flags,
    ring,
    subscribers,
    proxies: () => envoys.status(),
    metrics: bothMetrics(issuing.metrics, clusters),
    remoteClusters: () => clusters.overview(listen),
    tokenKeys: tokenKeys.facts,
    views: () => views.current,
    limitsLeft: (counters) => rateLimits.left(counters, views.current),
  });
  const unfollow = texts.onChange((changed) => {
    if (store.offer(reader.read(changed)) === "taken")
      log.info("resources changed", { resources: resources.current.length });
  });
  rehearseSoon(rehearseChange, log);
  log.info("control plane serves", { listen, resources: parsed.resources.length, trustDomain });
  return {
    listen,
    rootPem: rootsText(trust),
    subscribers,
    proxies: () => envoys.status(),
    async close() {
      unfollow();
      untell();
      envoys.close();
      await tokenKeys.close();
      await operation.close();
      await clusters.close();
      serving.close();
      own.close();
      await server.close();
      await rateLimits.close();
      await federation.close();
      await issuing.close();
    },
  };
}

function bothMetrics(
  certificates: CertificateMetrics,
  clusters: SeveralClusters,
): Pick<CertificateMetrics, "metricsText" | "contentType"> {
  const texts = () => Promise.all([certificates.metricsText(), clusters.metricsText()]);
  return {
    metricsText: async () => (await texts()).join(""),
    contentType: certificates.contentType,
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

/** PEM, one after the other. */
function rootsText(trust: Watched<AuthorityTrust>): Watched<string> {
  const textOf = ({ rootsPem }: AuthorityTrust): string => rootsPem.join("\n");
  const text = new WatchedValue(textOf(trust.current));
  trust.onChange((changed) => text.set(textOf(changed)));
  return text;
}
