/** What turns authorities: people over the socket, the folder of a custom one; and what is said of them by itself. */
import type { OpenedAuthorityRing } from "../ca/authority-ring.ts";
import { watchPluggedAuthority } from "../ca/watch-plugged-authority.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CertificateMetrics } from "../telemetry/certificate-metrics.ts";
import type { ProxyStreamStatus } from "./aggregated-discovery/proxy-stream-status.ts";
import { announcedLog } from "./announced-log.ts";
import { AuthorityOperations } from "./authority-operations.ts";
import { AutomaticRotation } from "./automatic-rotation.ts";
import { watchCertificates } from "./certificate-watchdog.ts";
import type { ControlPlaneFlags } from "./control-plane-flags.ts";
import type { RunningNow } from "./control-plane-messages.ts";
import { answerControlRequest, type ControlRequestContext } from "./control-requests.ts";
import { openControlSocket } from "./control-socket.ts";
import type { SubscriberStatus } from "./discovery-service.ts";
import { FolderChoiceFile } from "./folder-choice.ts";
import { startMetricsServer } from "./metrics-server.ts";
import type { RemoteClustersOverview } from "./remote-cluster-state.ts";
import { RootRenewal } from "./root-renewal.ts";

export interface OperateAuthoritiesOptions {
  readonly ring: OpenedAuthorityRing;
  /** The mesh's. */
  readonly dataDirectory: string;
  readonly running: Watched<RunningNow>;
  readonly subscribers: () => readonly SubscriberStatus[];
  readonly proxies: () => readonly ProxyStreamStatus[];
  /** Unix socket for questions and orders; absent: none. */
  readonly socket?: string | undefined;
  /** Folder of a custom authority. */
  readonly cacerts?: string | undefined;
  /** Where metrics are served on loopback; absent: on the socket alone. */
  readonly metricsPort?: number | undefined;
  readonly flags: Pick<ControlPlaneFlags, "rootGracePercent" | "defaultLifetimeMs">;
  readonly metrics: Pick<CertificateMetrics, "metricsText" | "contentType">;
  /** For whoever asks over the socket. */
  readonly remoteClusters: () => RemoteClustersOverview;
  readonly tokenKeys: ControlRequestContext["tokenKeys"];
  readonly views: ControlRequestContext["views"];
  readonly limitsLeft: ControlRequestContext["limitsLeft"];
  /** Hears in one line what whoever runs the mesh should. */
  readonly announce?: ((line: string) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws ListenError */
export async function operateAuthorities(
  options: OperateAuthoritiesOptions,
): Promise<{ close(): Promise<void> }> {
  const { socket: path, metricsPort, clock, announce = () => {} } = options;
  const { remoteClusters, tokenKeys, views, limitsLeft, subscribers, proxies } = options;
  const log = announcedLog(options.log, announce);
  const operations = new AuthorityOperations({ ...options, log });
  const folder = await followFolder(operations, { ...options, log });
  const { contentType, metricsText: metrics } = options.metrics;
  const automatic = folder?.automatic;
  const renewal = renewRoot(operations, automatic, { ...options, log });
  const asked = { metrics, remoteClusters, tokenKeys, views, limitsLeft, subscribers, proxies };
  const context = { operations, automatic, renewal, ...asked, clock };
  const server =
    metricsPort === undefined
      ? undefined
      : await startMetricsServer({ port: metricsPort, metrics, contentType, log });
  const socket =
    path === undefined
      ? undefined
      : await openControlSocket({
          path,
          answer: (request) => answerControlRequest(request, context),
          log,
        });
  const watchdog = watchCertificates({ state: () => operations.state, clock, log });
  return {
    async close() {
      watchdog.close();
      renewal?.close();
      folder?.close();
      await Promise.all([socket?.close(), server?.close()]);
    },
  };
}

function renewRoot(
  operations: AuthorityOperations,
  automatic: AutomaticRotation | undefined,
  { flags, ring, clock, log }: OperateAuthoritiesOptions,
): RootRenewal | undefined {
  const { rootGracePercent: gracePercent, defaultLifetimeMs: keepMs } = flags;
  if (gracePercent === undefined) return undefined;
  const rules = { gracePercent, keepMs };
  const isLeftToFolder = (): boolean => automatic?.isInCharge === true;
  return new RootRenewal({ ring, operations, rules, isLeftToFolder, clock, log });
}

async function followFolder(
  operations: AuthorityOperations,
  { cacerts: directory, dataDirectory, ring, clock, log }: OperateAuthoritiesOptions,
): Promise<{ readonly automatic: AutomaticRotation; close(): void } | undefined> {
  const choiceFile = new FolderChoiceFile(dataDirectory);
  if (directory === undefined) {
    await choiceFile.forget();
    return undefined;
  }
  const lastChoice = await choiceFile.read();
  const following = { directory, ring, operations, choiceFile, lastChoice, log };
  const automatic = new AutomaticRotation(following);
  const watch = watchPluggedAuthority(directory, {
    onChange: (authority) => automatic.offer(authority),
    onEmpty: () => automatic.empty(),
    onRefused: (error) => automatic.refuse(describeError(error)),
    clock,
    log,
  });
  return {
    automatic,
    close() {
      watch.close();
      automatic.close();
    },
  };
}
