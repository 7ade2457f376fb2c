/** One sidecar process: identity from the certificate service, view from discovery, then the data path. */
import { certificateClient } from "../../identity/certificate-client.ts";
import { ControlPlaneRoots } from "../../identity/control-plane-roots.ts";
import type { KnownAuthorities } from "../../identity/held-certificate.ts";
import {
  WorkloadIdentity,
  type WorkloadIdentityOptions,
} from "../../identity/workload-identity.ts";
import type {
  SidecarBootstrap,
  SidecarInstruction,
  SidecarReport,
} from "../../policy/sidecar-bootstrap.ts";
import type { Trust } from "../../policy/workload-view.ts";
import { startDiscoveryClient } from "../../proxy/discovery-client.ts";
import { startPodWorkloadApi } from "../../proxy/pod-workload-api.ts";
import { startSidecar } from "../../proxy/sidecar.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createDeferred } from "../../runtime/deferred.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { formatAccessLogEntry } from "../../telemetry/access-log.ts";
import { openInheritedPipe } from "../inherited-pipe.ts";
import { openLogStreams } from "../log-streams.ts";
import { openProcessLogs } from "../process-logs.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

/** Standard output carries the access log, standard error the operational log. */
export async function sidecarCommand(): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  const { log, logLevel, writeOutput } = openProcessLogs(systemClock);
  const bootstrapped = createDeferred<SidecarBootstrap>();
  const applicationProcessIds = new WatchedValue<readonly number[]>([]);
  let identity: WorkloadIdentity | undefined;
  let roots: ControlPlaneRoots | undefined;
  const takeToken = ({ token, rootPem }: SidecarInstruction & { type: "token" }): void => {
    roots?.give(rootPem);
    identity?.setToken(token);
  };
  const pipe = openInheritedPipe<SidecarInstruction, SidecarReport>(
    (instruction) => {
      if (instruction.type === "bootstrap") bootstrapped.resolve(instruction);
      if (instruction.type === "token") takeToken(instruction);
      if (instruction.type === "application") applicationProcessIds.set(instruction.processIds);
    },
    () => log.warn("the supervisor is gone; the sidecar keeps serving"),
  );
  const bootstrap = await bootstrapped.promise;
  const common = { clock: systemClock, log, random: Math.random };
  roots = new ControlPlaneRoots(bootstrap.rootPem);
  const known = { roots, authorities: new WatchedValue<KnownAuthorities | undefined>(undefined) };
  identity = startIdentity(bootstrap, { ...common, ...known });
  const discovery = startDiscoveryClient({
    controlPlane: bootstrap.controlPlane,
    name: `${bootstrap.namespace}/${bootstrap.name}`,
    svid: identity.svid,
    rootsPem: () => known.roots.current,
    onRefused: (svid) => identity?.refuse(svid),
    log,
    random: Math.random,
    signal,
  });
  discovery.views.onChange((view) => learnTrust(view?.trust, known));
  const sidecar = await startSidecar({
    ...bootstrap,
    ...common,
    logLevel,
    svid: identity.svid,
    views: discovery.views,
    applicationProcessIds,
    accessLog: (entry) => writeOutput(formatAccessLogEntry(entry)),
    logStreams: openLogStreams(log),
  });
  const workloadApi =
    bootstrap.workloadApi &&
    (await startPodWorkloadApi({
      ...bootstrap,
      ...common,
      settings: bootstrap.workloadApi,
      rootsPem: () => known.roots.current,
      svid: identity.svid,
      views: discovery.views,
      applicationProcessIds,
    }));
  signal.removeEventListener("abort", endAtOnce);
  pipe.send({ type: "ready" });
  await aborted(signal);
  await Promise.all([sidecar.close(), workloadApi?.close()]);
  await Promise.all([identity.close(), discovery.stopped]);
  pipe.close();
  return 0;
}

/** What the control plane last said of authorities. */
interface Known {
  readonly roots: ControlPlaneRoots;
  readonly authorities: WatchedValue<KnownAuthorities | undefined>;
}

function startIdentity(
  { controlPlane, cluster, token, certificateLifetimeSeconds, renewal }: SidecarBootstrap,
  { roots, ...common }: Known & Pick<WorkloadIdentityOptions, "clock" | "log" | "random">,
): WorkloadIdentity {
  const request = certificateClient({
    controlPlane,
    cluster,
    rootsPem: () => roots.current,
    lifetimeSeconds: certificateLifetimeSeconds,
    clock: common.clock,
  });
  const identity = new WorkloadIdentity({ ...common, request, token, renewal });
  identity.rootsPem.onChange((rootsPem) => roots.tell(rootsPem));
  return identity;
}

function learnTrust(trust: Trust | undefined, { roots, authorities }: Known): void {
  if (trust === undefined) return;
  roots.tell(trust.rootsPem);
  authorities.set(trust);
}
