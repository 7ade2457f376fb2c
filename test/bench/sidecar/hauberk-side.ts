/** Our own pair: `hauberk sidecar` from today's sources, started, instructed and logging as `hauberk up` has it. */
import { join } from "node:path";
import { MeshProcess } from "../../../src/local/processes/mesh-process.ts";
import { firstReport } from "../../../src/local/processes/own-process.ts";
import { sidecarProcessPlan } from "../../../src/local/processes/sidecar-process.ts";
import type { SidecarInstruction, SidecarReport } from "../../../src/policy/sidecar-bootstrap.ts";
import type { Endpoint, WorkloadView } from "../../../src/policy/workload-view.ts";
import { createDeferred } from "../../../src/runtime/deferred.ts";
import { freePort } from "../../kit/free-port.ts";
import { productCommand } from "../../kit/product-command.ts";
import {
  destination,
  inboundPort,
  LOOPBACK,
  policy,
  workloadView,
} from "../../kit/sidecar-fixture.ts";
import { effective } from "../policy/hauberk-engine.ts";
import type { MixedRule } from "../policy/mixed-rules.ts";
import { type MeasuredProcess, PROXY_CORE } from "./measured-process.ts";
import type { BenchContext, Carried, Ports, ProxySide, SidecarProxy } from "./proxy-side.ts";

const LIFETIME_SECONDS = 86_400;
/** What each carries is declared, as in a manifest; containers' ports only tell them apart. */
const DECLARED = { http: 8080, grpc: 8081, tcp: 8082 } as const satisfies Record<Carried, number>;
const PROTOCOLS = { http: "http", grpc: "http2", tcp: "tcp" } as const;

/** The only caller, one method, every path: identity, method and path are all looked at. */
const ALLOWS_CALLER = policy(
  "ALLOW",
  "frontend",
  {
    from: [{ principals: ["cluster.local/ns/production/sa/frontend"] }],
    to: [{ methods: ["GET", "POST"], paths: ["/*"] }],
  },
  {
    from: [{ principals: ["cluster.local/ns/production/sa/frontend"] }],
    to: [{ ports: ["8082"] }],
  },
);

let pods = 0;

/** What a callee is told beside what all are. */
export type ChangeView = (view: WorkloadView, context: BenchContext) => Promise<WorkloadView>;

/** @param rules further ones, in front of the one that allows */
export function hauberkSide(
  rules: readonly MixedRule[] = [],
  change: ChangeView = async (view) => view,
): ProxySide {
  return {
    startCallee: (context) => startCallee(context, rules, change),
    startCaller: async (context, callee) => {
      const { view, ports } = await callerView(context, callee);
      const process = await startSidecarProcess(context, view);
      return { process, ports };
    },
  };
}

async function startCallee(
  context: BenchContext,
  rules: readonly MixedRule[],
  change: ChangeView,
): Promise<SidecarProxy> {
  const { mesh, identities } = context.certificates;
  const ports: Partial<Record<Carried, number>> = {};
  const inbound = [];
  for (const carried of carriedBy(context.origins)) {
    const [listen, application] = [await freePort(), context.origins[carried] ?? 0];
    const protocol = PROTOCOLS[carried];
    const port = inboundPort({ listen, application, protocol });
    inbound.push({ ...port, containerPort: DECLARED[carried] });
    ports[carried] = listen;
  }
  const view = workloadView({ rootsPem: [mesh.rootPem], ports: inbound });
  const { deny, allow } = effective(rules);
  const authorization = { custom: [], audit: [], deny, allow: [...allow, ALLOWS_CALLER] };
  const judging = { ...view, inbound: { ...view.inbound, authorization } };
  const told = await change(named(judging, "api"), context);
  const process = await startSidecarProcess(context, told);
  const clients = { caller: identities.frontend, stranger: identities.api };
  return { process, ports, clients };
}

export async function callerView(
  { certificates }: BenchContext,
  callee: Ports,
): Promise<{ readonly view: WorkloadView; readonly ports: Ports }> {
  const ports: Partial<Record<Carried, number>> = {};
  const destinations = [];
  for (const carried of carriedBy(callee)) {
    const [listen, port] = [await freePort(), callee[carried] ?? 0];
    const one = destination({ name: "api", port, listen, protocol: PROTOCOLS[carried] });
    destinations.push({ ...one, servicePort: DECLARED[carried] });
    ports[carried] = listen;
  }
  const rootsPem = [certificates.mesh.rootPem];
  const view = workloadView({ name: "frontend", rootsPem, destinations });
  return { view: named(view, "frontend"), ports };
}

/** The same caller, once other endpoints serve HTTP. */
export function withEndpoints(view: WorkloadView, ports: readonly number[]): WorkloadView {
  const endpoints: Endpoint[] = ports.map((port) => ({
    workload: `api-${port}`,
    address: { address: LOOPBACK, port },
    mutualTls: true,
  }));
  const destinations = view.outbound.destinations.map((one) =>
    one.servicePort === DECLARED.http ? { ...one, endpoints } : one,
  );
  return { ...view, outbound: { ...view.outbound, destinations } };
}

function carriedBy(ports: Ports): readonly Carried[] {
  return (["http", "grpc", "tcp"] as const).filter((carried) => ports[carried] !== undefined);
}

/** Several pairs run at once: each pod has a name of its own, and all have the same identities. */
function named(view: WorkloadView, owner: string): WorkloadView {
  pods += 1;
  return { ...view, workload: { ...view.workload, name: `${owner}-${pods}` } };
}

export async function startSidecarProcess(
  { folder, node, nodeFlags, certificates, controlPlane }: BenchContext,
  view: WorkloadView,
): Promise<MeasuredProcess> {
  const { name, namespace } = view.workload;
  const control = await controlPlane();
  control.setView(view);
  const report = createDeferred<SidecarReport>();
  const bundle = productCommand().at(-1) ?? "";
  const logs = { logDirectory: folder, output: `${name}.access.log`, errors: `${name}.log` };
  const plan = sidecarProcessPlan({
    ...logs,
    title: `${name} sidecar`,
    hauberkCommand: ["taskset", "-c", String(PROXY_CORE), node, ...nodeFlags, bundle],
    accessLog: `${name}.istio.log`,
    receive: (message) => report.resolve(message as SidecarReport), // our own program
  });
  const started = await MeshProcess.start(plan);
  const tell = (instruction: SidecarInstruction): void => started.send(instruction);
  tell({
    type: "bootstrap",
    namespace,
    name,
    token: await control.issueToken(view),
    rootPem: certificates.mesh.rootPem,
    controlPlane: control.address,
    adminPort: await freePort(),
    proxyPassword: "bench",
    certificateLifetimeSeconds: LIFETIME_SECONDS,
  });
  tell({ type: "application", processIds: [process.pid] });
  await firstReport(started, { answer: report.promise, log: join(folder, logs.errors) });
  return { processId: started.processId, stop: () => started.stop() };
}
