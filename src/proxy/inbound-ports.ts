/** What applies to each port at which a pod is called: to those that are declared, and to all the others (PA-17, PA-18). */
import { undeclaredPort } from "../policy/undeclared-port.ts";
import type { InboundPort, WorkloadView } from "../policy/workload-view.ts";

export interface ServedPort extends InboundPort {
  /** No Service leads to it and no container names it: what it speaks is found out. */
  readonly undeclared?: true;
}

/** A stranger may call any. */
const MOST_UNDECLARED = 1_024;

export class InboundPorts {
  readonly #declared: ReadonlyMap<number, InboundPort>;
  readonly #view: WorkloadView;
  /** What was worked out for others: what is known of a port is kept by it. */
  readonly #undeclared = new Map<string, ServedPort>();

  constructor(view: WorkloadView) {
    this.#view = view;
    this.#declared = new Map(view.inbound.ports.map((port) => [port.containerPort, port]));
  }

  /**
   * @param podAddress where the pod is called, and its application listens
   * @returns undefined for an undeclared port of a workload whose connections are not all intercepted
   */
  at(containerPort: number, podAddress: string): ServedPort | undefined {
    const declared = this.#declared.get(containerPort);
    if (declared !== undefined) return declared;
    const { interception } = this.#view;
    if (interception === undefined) return undefined;
    const key = `${containerPort} ${podAddress}`;
    let known = this.#undeclared.get(key);
    if (known === undefined) {
      known = { ...undeclaredPort(interception, { containerPort, podAddress }), undeclared: true };
      if (this.#undeclared.size >= MOST_UNDECLARED) this.#undeclared.clear();
      this.#undeclared.set(key, known);
    }
    return known;
  }
}
