/** How the memory of processes changes over minutes: samples from outside, and the straight line through them. */
import { residentMemory } from "../../kit/resident-memory.ts";

const EVERY_MS = 5_000;

interface Sample {
  /** Minutes since the first look. */
  readonly at: number;
  readonly mebibytes: number;
}

export interface Slope {
  readonly first: number;
  readonly last: number;
  /** Of the line's beginning, a minute. */
  readonly percent: number;
}

export class MemoryWatch {
  readonly #processes: () => Promise<ReadonlyMap<string, number>>;
  readonly #samples: Map<string, { readonly processId: number; readonly samples: Sample[] }> =
    new Map();
  readonly #since = performance.now();
  #timer: NodeJS.Timeout | undefined;

  /** @param processes by name; asked for each look */
  constructor(processes: () => Promise<ReadonlyMap<string, number>>) {
    this.#processes = processes;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Of every process that lived all the time since then; who was started again begins anew.
   *
   * @param fromMinute of the watch
   */
  slopes(fromMinute: number): ReadonlyMap<string, Slope> {
    const slopes = new Map<string, Slope>();
    for (const [name, { samples }] of this.#samples) {
      const [begin] = samples;
      const late = samples.filter(({ at }) => at >= fromMinute);
      if (begin === undefined || begin.at > fromMinute || late.length < 3) continue;
      slopes.set(name, slopeOf(late));
    }
    return slopes;
  }

  async #look(): Promise<void> {
    const at = (performance.now() - this.#since) / 60_000;
    const processes = await this.#processes();
    for (const name of this.#samples.keys()) if (!processes.has(name)) this.#samples.delete(name);
    for (const [name, processId] of processes) {
      const memory = await residentMemory(processId).catch(() => undefined); // it may have ended
      if (memory === undefined) continue;
      const known = this.#samples.get(name);
      const kept = known?.processId === processId ? known : { processId, samples: [] };
      this.#samples.set(name, kept);
      kept.samples.push({ at, mebibytes: memory.now });
    }
  }
}

/** By least squares. */
function slopeOf(samples: readonly Sample[]): Slope {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(samples.map(({ at }) => at));
  const level = mean(samples.map(({ mebibytes }) => mebibytes));
  let covariance = 0;
  let variance = 0;
  for (const { at, mebibytes } of samples) {
    covariance += (at - middle) * (mebibytes - level);
    variance += (at - middle) ** 2;
  }
  const slope = variance === 0 ? 0 : covariance / variance;
  const first = samples[0]?.mebibytes ?? 0;
  const begin = level - slope * (middle - (samples[0]?.at ?? 0));
  return { first, last: samples.at(-1)?.mebibytes ?? 0, percent: (100 * slope) / begin };
}
