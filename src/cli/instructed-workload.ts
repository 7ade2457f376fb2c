/**
 * What every process beside a workload begins with: it is told who it is over the inherited pipe, asks for its
 * certificate, and follows its view.
 */
import { certificateClient } from "../identity/certificate-client.ts";
import { ControlPlaneRoots } from "../identity/control-plane-roots.ts";
import type { KnownAuthorities } from "../identity/held-certificate.ts";
import { WorkloadIdentity, type WorkloadIdentityOptions } from "../identity/workload-identity.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type {
  SidecarBootstrap,
  SidecarInstruction,
  SidecarReport,
} from "../policy/sidecar-bootstrap.ts";
import type { Trust, WorkloadView } from "../policy/workload-view.ts";
import { type DiscoveryClientOptions, startDiscoveryClient } from "../proxy/discovery-client.ts";
import { systemClock } from "../runtime/clock.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import { type Closable, closeAll } from "./close-all.ts";
import { openInheritedPipe } from "./inherited-pipe.ts";

export interface InstructedWorkload {
  readonly bootstrap: SidecarBootstrap;
  readonly svid: Watched<X509Svid | undefined>;
  readonly views: Watched<WorkloadView | undefined>;
  readonly applicationProcessIds: Watched<readonly number[]>;
  /** PEM of the roots that the control plane's certificate must chain to, as known now. */
  readonly rootsPem: () => readonly string[];
  /** The control plane does not take this certificate. */
  readonly refuse: (svid: X509Svid) => void;
  tell(report: SidecarReport): void;
  /** Resolves when nothing is asked any more; `signal` must have aborted before. */
  close(): Promise<void>;
}

export interface InstructedWorkloadOptions
  extends Pick<DiscoveryClientOptions, "place" | "beforehand" | "inForce" | "updates"> {
  readonly log: Log;
  /** Stops following. */
  readonly signal: AbortSignal;
}

/** Resolves once it was told who it is. */
export async function instructedWorkload({
  log,
  signal,
  ...following
}: InstructedWorkloadOptions): Promise<InstructedWorkload> {
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
  const own = startIdentity(bootstrap, { ...common, ...known });
  identity = own;
  const rootsPem = (): readonly string[] => known.roots.current;
  const refuse = (svid: X509Svid): void => own.refuse(svid);
  const discovery = startDiscoveryClient({
    ...following,
    controlPlane: bootstrap.controlPlane,
    name: `${bootstrap.namespace}/${bootstrap.name}`,
    svid: own.svid,
    rootsPem,
    onRefused: refuse,
    log,
    random: Math.random,
    signal,
  });
  discovery.views.onChange((view) => learnTrust(view?.trust, known));
  return {
    bootstrap,
    svid: own.svid,
    views: discovery.views,
    applicationProcessIds,
    rootsPem,
    refuse,
    tell: (report) => pipe.send(report),
    close: async () => {
      await Promise.all([own.close(), discovery.stopped]);
      pipe.close();
    },
  };
}

/** Says why to whoever started the process, and ends it. @param what as the subject of a sentence */
export async function endUnstarted(
  error: unknown,
  {
    what,
    log,
    workload,
    opened,
  }: {
    readonly what: string;
    readonly log: Log;
    readonly workload: Pick<InstructedWorkload, "tell">;
    readonly opened: readonly Closable[];
  },
): Promise<never> {
  const problem = describeError(error);
  log.error(`${what} did not start`, { problem });
  workload.tell({ type: "failed", problem });
  await closeAll(opened);
  process.exit(1); // a connection to the control plane that is being made would hold the process
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
