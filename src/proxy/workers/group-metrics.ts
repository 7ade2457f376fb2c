/** The metrics of a sidecar of several processes: theirs in one sum, and how many of them serve. */
import type { AdminOptions } from "../admin-server.ts";
import { SummedMetrics } from "./summed-metrics.ts";
import type { WorkerGroup } from "./worker-group.ts";

const STATS = { method: "GET", path: "/stats", parameters: new URLSearchParams() };

export class GroupMetrics {
  readonly #sum = new SummedMetrics();

  /** Of a worker that has ended. */
  end(number: number): void {
    this.#sum.end(number);
  }

  of(group: WorkerGroup): AdminOptions["metrics"] {
    return {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      exposition: async () => {
        await group.askAll(STATS, ({ number }, { status, body }) => {
          if (status === 200) this.#sum.take(number, body);
        });
        return `${this.#sum.text()}\n${processText(group)}`;
      },
    };
  }
}

function processText({ workers }: WorkerGroup): string {
  const ready = workers.filter(({ isReady }) => isReady).length;
  const restarts = workers.reduce((sum, worker) => sum + worker.restarts, 0);
  return [
    "# HELP hauberk_sidecar_processes Processes of this sidecar that serve.",
    "# TYPE hauberk_sidecar_processes gauge",
    `hauberk_sidecar_processes ${ready}`,
    "",
    "# HELP hauberk_sidecar_process_restarts_total Processes of this sidecar that ended and were followed by another.",
    "# TYPE hauberk_sidecar_process_restarts_total counter",
    `hauberk_sidecar_process_restarts_total ${restarts}`,
    "",
  ].join("\n");
}
