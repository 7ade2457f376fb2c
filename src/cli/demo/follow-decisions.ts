/** Tells of every decision that sidecars write from now on, in the order of their time. */
import { setTimeout as delay } from "node:timers/promises";
import type { Workload } from "../../policy/workload.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { AccessLogTail } from "../access-log-tail.ts";

const LOOK_AGAIN_MS = 250;

export interface Followed {
  /** Asked again and again: pods come and go. */
  readonly workloads: () => readonly Workload[];
  /** Holds `NAMESPACE/POD/access.log`. */
  readonly directory: string;
}

export interface Told {
  readonly entry: AccessLogEntry;
  readonly judge: Workload;
}

/** Resolves when `signal` aborts. What the logs already hold is not told. */
export async function followDecisions(
  { workloads, directory }: Followed,
  { tell, signal }: { readonly tell: (told: Told) => void; readonly signal: AbortSignal },
): Promise<void> {
  const tail = new AccessLogTail({ directory, wants: () => true });
  try {
    await tail.look(() => undefined);
    while (!signal.aborted) {
      const decided: { pod: string; entry: AccessLogEntry }[] = [];
      await tail.look(({ pod, entry }) => {
        if (entry.decision !== null) decided.push({ pod, entry });
      });
      // Asked after the look: a pod whose first line was read just now is known by now.
      const judges = new Map(workloads().map((one) => [`${one.namespace}/${one.name}`, one]));
      for (const { pod, entry } of decided.sort(byTime)) {
        const judge = judges.get(pod);
        if (judge !== undefined) tell({ entry, judge });
      }
      await pause(signal);
    }
  } finally {
    await tail.close();
  }
}

type Decided = Pick<Told, "entry">;

const byTime = ({ entry: a }: Decided, { entry: b }: Decided): number =>
  a.start_time < b.start_time ? -1 : Number(a.start_time > b.start_time);

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await delay(LOOK_AGAIN_MS, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
