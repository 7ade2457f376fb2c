/** Whether those who ask run now: tokens and certificates die with their pod. */
import type { Workload } from "../policy/workload.ts";
import type { Watched } from "../runtime/watched.ts";
import type { RunningNow } from "./control-plane-messages.ts";

interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

export interface LiveWorkloads {
  isLivePod(pod: Account & { readonly name: string; readonly uid: string }): boolean;
  /** Whether a pod runs as this account where that agent runs: on one machine, the mesh is the node (CA-9). */
  runsBeside(
    account: Account,
    agent: { readonly namespace: string; readonly podName: string },
  ): boolean;
}

export function liveWorkloads(running: Watched<RunningNow>): LiveWorkloads {
  const some = (test: (workload: Workload) => boolean): boolean =>
    running.current.workloads.some(test);
  const isLiveAccount = ({ namespace, serviceAccount }: Account): boolean =>
    some((one) => one.namespace === namespace && one.serviceAccount === serviceAccount);
  const pods = new KnownPods();
  return {
    isLivePod: ({ namespace, name, uid, serviceAccount }) => {
      const found = pods.of(running.current).get(`${namespace}/${name}`);
      return found?.uid === uid && found.serviceAccount === serviceAccount;
    },
    runsBeside: (account, agent) =>
      isLiveAccount(account) &&
      some((one) => one.namespace === agent.namespace && one.name === agent.podName),
  };
}

/** By `namespace/pod`: it is asked for each stream with each change. */
class KnownPods {
  #of: RunningNow | undefined;
  #pods: ReadonlyMap<string, Workload> = new Map();

  of(running: RunningNow): ReadonlyMap<string, Workload> {
    if (running === this.#of) return this.#pods;
    this.#pods = new Map(running.workloads.map((one) => [`${one.namespace}/${one.name}`, one]));
    this.#of = running;
    return this.#pods;
  }
}
