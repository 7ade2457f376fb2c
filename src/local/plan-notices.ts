/** Tells what people need to know of what is planned: once, and again whenever it is something else than before. */
import type { Resource } from "../api/resource.ts";
import { buildSnapshot } from "../policy/mesh-snapshot.ts";
import type { Workload } from "../policy/workload.ts";
import { type GatewayAddress, gatewayAddresses, withOutcomes } from "./gateway-addresses.ts";
import type { MeshEvent } from "./mesh-event.ts";
import type { PublishOutcome } from "./network/host-side.ts";
import { keyOf } from "./pod-identity.ts";
import type { PresentPods } from "./present-pods.ts";

export interface PlanNoticesOptions {
  readonly present: PresentPods;
  readonly resources: () => readonly Resource[];
  readonly report: (event: MeshEvent) => void;
}

export class PlanNotices {
  readonly #options: PlanNoticesOptions;
  /** What was said of ports that programs have of their own, as JSON: it is said once. */
  readonly #saidOfPorts: Set<string> = new Set();
  /** By `namespace/pod`: what was told last of where it is reached. */
  readonly #toldGateways: Map<string, string> = new Map();
  /** What became of what the host is to offer. */
  #published: readonly PublishOutcome[] = [];

  constructor(options: PlanNoticesOptions) {
    this.#options = options;
  }

  tellSettledPorts(): void {
    const { present, report } = this.#options;
    for (const owner of present.plan.settled) {
      const said = JSON.stringify({ ...owner, source: undefined });
      if (this.#saidOfPorts.has(said)) continue;
      this.#saidOfPorts.add(said);
      report({ type: "ports-settled", owner });
    }
  }

  /** Where the gateway that runs as this workload is reached; empty for any other. */
  gatewayAddresses(workload: Workload): readonly GatewayAddress[] {
    if (!workload.gateway) return [];
    const { plan, workloads } = this.#options.present;
    const { serviceAddresses } = plan;
    const published = withOutcomes(plan.published, this.#published);
    const resources = this.#options.resources();
    const snapshot = buildSnapshot({ resources, workloads, rootsPem: [], serviceAddresses });
    return gatewayAddresses(workload, { snapshot, published });
  }

  tellGateways(): void {
    const { present, report } = this.#options;
    for (const { workload } of present.plan.pods) {
      if (!workload.gateway) continue;
      const pod = keyOf(workload);
      const addresses = this.gatewayAddresses(workload);
      const text = JSON.stringify(addresses);
      if (this.#toldGateways.get(pod) === text) continue;
      this.#toldGateways.set(pod, text);
      report({ type: "gateway-serves", pod, addresses });
    }
  }

  /** What the host's loopback offers by now. */
  tellPublished(ports: readonly PublishOutcome[]): void {
    this.#published = ports;
    this.#options.report({ type: "published", ports });
    if (this.#toldGateways.size > 0) this.tellGateways();
  }
}
