/** How other clusters do, for Prometheus: one series for each that the resources name. */
import { Gauge, Registry } from "prom-client";
import type { Clock } from "../runtime/clock.ts";

export interface RemoteClusterFigures {
  readonly cluster: string;
  readonly isConnected: boolean;
  /** In use here. */
  readonly endpoints: number;
  /** Until when what is known of it is known to be true; absent before it said anything. */
  readonly heardAt: Date | undefined;
}

/** @returns all series in Prometheus' text format, as they are when it is called */
export function createRemoteClusterMetrics(
  figures: () => readonly RemoteClusterFigures[],
  clock: Clock,
): () => Promise<string> {
  const registry = new Registry();
  const gauge = (
    name: string,
    help: string,
    value: (figures: RemoteClusterFigures) => number | undefined,
  ): void => {
    new Gauge({
      name: `hauberk_remote_cluster_${name}`,
      help,
      labelNames: ["cluster"] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const each of figures()) {
          const known = value(each);
          if (known !== undefined) this.set({ cluster: each.cluster }, known);
        }
      },
    });
  };
  gauge("connected", "Whether the other control plane is connected: 1 or 0.", ({ isConnected }) =>
    isConnected ? 1 : 0,
  );
  gauge("endpoints", "Endpoints of the other cluster in use here.", ({ endpoints }) => endpoints);
  gauge(
    "age_seconds",
    "Seconds since what is known of the other cluster was known to be true.",
    ({ heardAt }) => heardAt && Math.max(0, (clock.now().getTime() - heardAt.getTime()) / 1000),
  );
  return () => registry.metrics();
}
