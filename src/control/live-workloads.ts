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
  return {
    isLivePod: ({ namespace, name, uid, serviceAccount }) =>
      some(
        (one) =>
          one.namespace === namespace &&
          one.name === name &&
          one.uid === uid &&
          one.serviceAccount === serviceAccount,
      ),
    runsBeside: (account, agent) =>
      isLiveAccount(account) &&
      some((one) => one.namespace === agent.namespace && one.name === agent.podName),
  };
}
