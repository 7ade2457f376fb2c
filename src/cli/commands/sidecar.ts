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
import { describeError } from "../../runtime/hauberk-error.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { openInheritedPipe } from "../inherited-pipe.ts";
import { openSidecarProcess } from "../sidecar-process.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

/** Standard output carries the access log, standard error the operational log. */
export async function sidecarCommand(): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  const { log, logLevel, writeOutput, logStreams, worker } = openSidecarProcess();
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
    place: worker?.place,
    svid: identity.svid,
    rootsPem: () => known.roots.current,
    onRefused: (svid) => identity?.refuse(svid),
    log,
    random: Math.random,
    signal,
  });
  discovery.views.onChange((view) => learnTrust(view?.trust, known));
  const opened: Closable[] = [];
  try {
    const told = { svid: identity.svid, views: discovery.views, applicationProcessIds };
    const rootsPem = (): readonly string[] => known.roots.current;
    const sidecar = await startSidecar({
      ...bootstrap,
      ...common,
      ...told,
      rootsPem,
      ...(worker && { openAdmin: worker.openAdmin, processes: worker.place.of }),
      logLevel,
      accessLog: writeOutput,
      logStreams,
    });
    opened.push(sidecar);
    const { workloadApi: settings } = bootstrap;
    if (settings !== undefined)
      opened.push(
        await startPodWorkloadApi({ ...bootstrap, ...common, ...told, settings, rootsPem }),
      );
    signal.removeEventListener("abort", endAtOnce);
    pipe.send({ type: "ready" });
  } catch (error) {
    const problem = describeError(error);
    log.error("the sidecar did not start", { problem });
    pipe.send({ type: "failed", problem });
    await closeAll(opened);
    process.exit(1); // a connection to the control plane that is being made would hold the process
  }
  await aborted(signal);
  await closeAll(opened);
  await Promise.all([identity.close(), discovery.stopped]);
  pipe.close();
  await worker?.leave();
  return 0;
}

interface Closable {
  close(): Promise<void>;
}

async function closeAll(opened: readonly Closable[]): Promise<void> {
  await Promise.all(opened.map((one) => one.close()));
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
