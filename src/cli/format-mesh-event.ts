/** What happens to a mesh on this machine, in lines for people. */
import type { MeshEvent } from "../local/mesh-event.ts";
import type { PublishOutcome } from "../local/network/host-side.ts";
import type { ProcessEvent } from "../local/processes/supervised-process.ts";
import type { SettledOwner } from "../local/settled-ports.ts";
import type { Workload } from "../policy/workload.ts";
import { formatGatewayAddress } from "./format-gateway-address.ts";

/** @returns no line for what is not worth one */
export function formatMeshEvent(event: MeshEvent): readonly string[] {
  switch (event.type) {
    case "leftovers-ended":
      return [`ended what an earlier run left: ${event.titles.join(", ")}`];
    case "planned": {
      const injected = event.workloads.filter((workload) => workload.injected).length;
      const pods = injected === 1 ? "1 pod" : `${injected} pods`;
      return [`${pods} with a sidecar, ${event.workloads.length - injected} without`];
    }
    case "control-plane-ready":
      return [`control plane at ${event.listen}`];
    case "notice":
      return [event.text];
    case "pod-started":
      return [describeWorkload(event.workload)];
    case "pod-stopped":
      return [`${event.workload.namespace}/${event.workload.name} stopped`];
    case "files-placed":
      return event.rewrites.map(({ from, to }) => `${event.title}: ${from} is ${to} here`);
    case "ports-settled":
      return [describeSettled(event.owner)];
    case "published":
      return event.ports.map(describePublished);
    case "gateway-serves":
      return event.addresses.map((one) => `${event.pod} serves ${formatGatewayAddress(one)}`);
    case "process":
      return describeProcess(event.title, event.event);
  }
}

function describeSettled({ title, replicas, ports }: SettledOwner): string {
  const where = `${title} listens on 127.0.0.1, ${ports.length === 1 ? "port" : "ports"} ${ports.join(", ")}, as it says itself`;
  return replicas > 1
    ? `${where}: 1 of its ${replicas} replicas runs, since all pods share this machine's loopback`
    : where;
}

function describePublished({ service, port, listen, problem }: PublishOutcome): string {
  const at = `${listen.address}:${listen.port}`;
  return problem === undefined
    ? `${service}:${port} from this machine: ${at}, a caller without identity`
    : `${service}:${port} is not offered at ${at}: ${problem}`;
}

/** One line for a pod: its name, who it is, and where it is reached. */
function describeWorkload({
  namespace,
  name,
  serviceAccount,
  injected,
  gateway,
  ports,
}: Workload): string {
  const who = injected
    ? `${gateway ? "gateway" : "sidecar"} ready, as ns/${namespace}/sa/${serviceAccount}`
    : "no sidecar, no identity";
  const where = ports.map(
    ({ containerPort, listen }) => `${containerPort} at ${listen.address}:${listen.port}`,
  );
  return [`${namespace}/${name}: ${who}`, ...where].join(", ");
}

/** A first start is told by its pod; what falls and what is started again is told here. */
function describeProcess(title: string, event: ProcessEvent): readonly string[] {
  if (event.type === "started") return [];
  if (event.type === "restarted") return [`${title}: ${event.problem}; started again`];
  if (event.type === "hook-failed")
    return [`${title}: its ${event.hook} hook failed: ${event.problem}`];
  const what =
    event.type === "failed"
      ? `did not start: ${event.problem}`
      : `ended with ${event.exit.signal ?? `code ${event.exit.code}`}`;
  const next =
    event.restartInMs === undefined ? "not started again" : `again in ${event.restartInMs} ms`;
  return [`${title} ${what}; ${next}`];
}
