/** Puts the same calls to the engine, the embedded sidecar and real Envoy. */
import { authorizeOf } from "./ask-authorize.ts";
import { askInTime, type Outcomes } from "./ask-in-time.ts";
import type { Answered } from "./disagreement.ts";
import { type AskedOfEnvoy, type EnvoyLane, inTurns } from "./envoy-lane.ts";
import type { Outcome } from "./question.ts";
import type { SidecarLane } from "./sidecar-lane.ts";

export interface Lanes {
  readonly envoy: EnvoyLane;
  /** Each takes one set at a time; none: our own data plane is not asked. */
  readonly sidecars: readonly SidecarLane[];
}

export async function compareBatch(
  batch: readonly AskedOfEnvoy[],
  { envoy, sidecars }: Lanes,
): Promise<readonly Answered[]> {
  const [theirs, ours] = await Promise.all([
    askInTime(batch, (asked) => envoy.ask(asked)),
    askInTime(batch, (asked) => askSidecars(asked, sidecars)),
  ]);
  return batch.flatMap(({ set, calls, withheld }, place) => {
    const engine = withheld ? (): Outcome => WITHHELD : authorizeOf(set);
    return calls.map((call, at): Answered => {
      const outcome = theirs[place]?.[at];
      const sidecar = ours[place]?.[at];
      if (outcome === undefined) throw new Error("a call was not made");
      return { set, call, engine: engine(call), envoy: outcome, ...(sidecar && { sidecar }) };
    });
  });
}

/** Nobody may be let in by a proxy that does not know its rules. */
const WITHHELD: Outcome = { verdict: "denied", seen: "withheld" };

async function askSidecars(
  batch: readonly AskedOfEnvoy[],
  sidecars: readonly SidecarLane[],
): Promise<Outcomes> {
  const free = [...sidecars];
  if (free.length === 0) return [];
  const ask = async ({ set, calls }: AskedOfEnvoy): Promise<readonly Outcome[]> => {
    const lane = free.pop();
    if (lane === undefined) throw new Error("more sets at once than sidecars");
    const outcomes = await lane.ask(set, calls);
    free.push(lane);
    return outcomes;
  };
  return inTurns(batch, ask, sidecars.length);
}
