/** One sidecar process: identity from the certificate service, view from discovery, then the data path. */
import { certificateClient } from "../../identity/certificate-client.ts";
import { WorkloadIdentity } from "../../identity/workload-identity.ts";
import type {
  SidecarBootstrap,
  SidecarInstruction,
  SidecarReport,
} from "../../policy/sidecar-bootstrap.ts";
import { startDiscoveryClient } from "../../proxy/discovery-client.ts";
import { startSidecar } from "../../proxy/sidecar.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createDeferred } from "../../runtime/deferred.ts";
import { createLog } from "../../runtime/log.ts";
import { WatchedValue } from "../../runtime/watched.ts";
import { formatAccessLogEntry } from "../../telemetry/access-log.ts";
import { openInheritedPipe } from "../inherited-pipe.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

/** Standard output carries the access log, standard error the operational log. */
export async function sidecarCommand(): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  const log = createLog((line) => process.stderr.write(`${line}\n`), systemClock);
  const bootstrapped = createDeferred<SidecarBootstrap>();
  const applicationProcessIds = new WatchedValue<readonly number[]>([]);
  let identity: WorkloadIdentity | undefined;
  const pipe = openInheritedPipe<SidecarInstruction, SidecarReport>(
    (instruction) => {
      if (instruction.type === "bootstrap") bootstrapped.resolve(instruction);
      if (instruction.type === "token") identity?.setToken(instruction.token);
      if (instruction.type === "application") applicationProcessIds.set(instruction.processIds);
    },
    () => log.warn("the supervisor is gone; the sidecar keeps serving"),
  );
  const bootstrap = await bootstrapped.promise;
  const common = { clock: systemClock, log, random: Math.random };
  identity = startIdentity(bootstrap, common);
  const discovery = startDiscoveryClient({
    controlPlane: bootstrap.controlPlane,
    name: `${bootstrap.namespace}/${bootstrap.name}`,
    svid: identity.svid,
    rootsPem: [bootstrap.rootPem],
    log,
    random: Math.random,
    signal,
  });
  const sidecar = await startSidecar({
    ...bootstrap,
    ...common,
    svid: identity.svid,
    views: discovery.views,
    applicationProcessIds,
    accessLog: (entry) => process.stdout.write(`${formatAccessLogEntry(entry)}\n`),
  });
  signal.removeEventListener("abort", endAtOnce);
  pipe.send({ type: "ready" });
  await aborted(signal);
  await sidecar.close();
  await Promise.all([identity.close(), discovery.stopped]);
  pipe.close();
  return 0;
}

function startIdentity(
  { controlPlane, rootPem, token, certificateLifetimeSeconds, renewal }: SidecarBootstrap,
  common: Pick<ConstructorParameters<typeof WorkloadIdentity>[0], "clock" | "log" | "random">,
): WorkloadIdentity {
  const request = certificateClient({
    controlPlane,
    rootsPem: [rootPem],
    lifetimeSeconds: certificateLifetimeSeconds,
    clock: common.clock,
  });
  return new WorkloadIdentity({ ...common, request, token, renewal });
}
