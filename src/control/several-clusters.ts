/** All that makes this mesh one of several under one root: what it hears of others, what it tells them, and the figures of it. */
import type { Resource } from "../api/resource.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { MeshSnapshot } from "../policy/mesh-snapshot.ts";
import type { RemoteClusterServices } from "../policy/remote-cluster-services.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { createRemoteClusterMetrics } from "../telemetry/remote-cluster-metrics.ts";
import type { GrpcService } from "../wire/grpc-service.ts";
import { announcedLog } from "./announced-log.ts";
import type { RemoteClustersOverview } from "./remote-cluster-state.ts";
import { RemoteClusters } from "./remote-clusters.ts";
import { remoteDiscoveryService } from "./remote-discovery-service.ts";

export interface SeveralClustersOptions {
  /** What this mesh calls itself. */
  readonly cluster: string;
  readonly trustDomain: string;
  readonly resources: Watched<readonly Resource[]>;
  /** The control plane's own. */
  readonly svid: Watched<X509Svid>;
  readonly trust: Watched<AuthorityTrust>;
  readonly dataDirectory: string;
  /** Hears in one line what whoever runs the mesh should. */
  readonly announce?: ((line: string) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SeveralClusters {
  /** Of other clusters, what is admitted here. */
  readonly services: Watched<readonly RemoteClusterServices[]>;
  /** Tells others of this mesh. */
  serve(snapshots: Watched<MeshSnapshot>): GrpcService;
  /** @param listen `address:port` of this control plane */
  overview(listen: string): RemoteClustersOverview;
  metricsText(): Promise<string>;
  close(): Promise<void>;
}

export async function openSeveralClusters(
  options: SeveralClustersOptions,
): Promise<SeveralClusters> {
  const { cluster, trustDomain, clock, announce = () => {} } = options;
  const own = { cluster, trustDomain };
  const log = announcedLog(options.log, announce);
  const followed: Log = {
    ...log,
    info: (message, fields) => {
      log.info(message, fields); // whoever heard that one is away wants to hear that it is back
      announce(message);
    },
  };
  const clusters = await RemoteClusters.open({
    ...options,
    own,
    random: Math.random,
    log: followed,
  });
  return {
    services: clusters.services,
    serve: (snapshots) => remoteDiscoveryService({ ...options, snapshots }),
    overview: (listen) => ({ ...own, listen, remoteClusters: clusters.states }),
    metricsText: createRemoteClusterMetrics(() => clusters.states.map(figuresOf), clock),
    close: () => clusters.close(),
  };
}

function figuresOf({
  cluster,
  phase,
  endpoints,
  heardAt,
}: RemoteClustersOverview["remoteClusters"][number]) {
  return {
    cluster,
    isConnected: phase === "connected",
    endpoints,
    heardAt: heardAt === undefined ? undefined : new Date(heardAt),
  };
}
