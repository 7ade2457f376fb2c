/** Counts what a load did since it was told to begin, and what went wrong at any time. */
import type { LoadResult } from "./load-messages.ts";

const MAX_ERRORS = 5;

export class Tally {
  #done = 0;
  #counting = false;
  #latencies: number[] = [];
  readonly #errors = new Map<string, number>();

  begin(): void {
    this.#counting = true;
    this.#done = 0;
    this.#latencies = [];
  }

  add(amount: number, latencyMs?: number): void {
    if (!this.#counting) return;
    this.#done += amount;
    if (latencyMs !== undefined) this.#latencies.push(latencyMs);
  }

  /** After the end, connections that are cut are nobody's fault. */
  fail(problem: string): void {
    this.#errors.set(problem, (this.#errors.get(problem) ?? 0) + 1);
  }

  end(): LoadResult {
    this.#counting = false;
    const errors = [...this.#errors]
      .slice(0, MAX_ERRORS)
      .map(([text, times]) => `${text} (${times})`);
    const sorted = this.#latencies.sort((a, b) => a - b);
    if (sorted.length === 0) return { done: this.#done, errors };
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
    return { done: this.#done, errors, latency: { p50: at(0.5), p99: at(0.99) } };
  }
}
