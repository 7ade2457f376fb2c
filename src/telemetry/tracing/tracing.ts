/** All of a sidecar that has to do with spans: compiled once for each view; collectors go on from view to view. */
import type {
  EffectiveTelemetry,
  EffectiveTracing,
  SideTracing,
} from "../../policy/workload-view.ts";
import type { Log } from "../../runtime/log.ts";
import { type ConnectCollector, connectByName } from "./collector-connection.ts";
import { spanRequests } from "./otlp-span.ts";
import { sendOverGrpc } from "./send-over-grpc.ts";
import { sendOverHttp } from "./send-over-http.ts";
import { SpanExporter } from "./span-exporter.ts";
import { SpanSide } from "./span-side.ts";

export interface TracingOptions {
  /** Envoy's name of a sidecar: `sidecar~10.0.0.7~api-0.shop~shop.svc.cluster.local` */
  readonly nodeId: string;
  readonly log: Log;
  /** Of the product. */
  readonly version?: string;
  /** How collectors are reached; absent: by their names. */
  readonly connect?: ConnectCollector;
  /** A number in [0, 1); decides what is sampled. */
  readonly chance?: () => number;
}

export class Tracing {
  readonly #options: TracingOptions;
  readonly #exporters = new Map<string, SpanExporter>();
  readonly #closing = new Set<Promise<void>>();
  #tracing: EffectiveTracing | undefined;
  #inbound: SpanSide | undefined;
  #outbound: SpanSide | undefined;

  constructor(options: TracingOptions) {
    this.#options = options;
  }

  /**
   * Asked before anything is done for a span: mostly nobody wants any.
   *
   * @param telemetry of the newest view
   */
  of(
    telemetry: EffectiveTelemetry | undefined,
    reporter: "source" | "destination",
  ): SpanSide | undefined {
    if (telemetry?.tracing !== this.#tracing) this.#follow(telemetry?.tracing);
    return reporter === "source" ? this.#outbound : this.#inbound;
  }

  /** Spans so far, of the collectors in force. */
  counts(): readonly { readonly provider: string; readonly sent: number; readonly lost: number }[] {
    return [...this.#exporters.values()].map(({ provider, counts }) => ({ provider, ...counts }));
  }

  /** Sends what there is, for two seconds at most; spans that end later are lost. */
  async close(): Promise<void> {
    this.#retainOnly(new Set());
    await Promise.all(this.#closing);
  }

  #follow(tracing: EffectiveTracing | undefined): void {
    this.#tracing = tracing;
    const used = new Set<string>();
    this.#inbound = this.#side("destination", tracing, used);
    this.#outbound = this.#side("source", tracing, used);
    this.#retainOnly(used);
  }

  #side(
    reporter: "source" | "destination",
    tracing: EffectiveTracing | undefined,
    used: Set<string>,
  ): SpanSide | undefined {
    const side = reporter === "source" ? tracing?.outbound : tracing?.inbound;
    if (tracing === undefined || side === undefined) return undefined;
    const { nodeId, chance = Math.random } = this.#options;
    const { operations } = tracing;
    const exporter = this.#exporterOf(side, used);
    return new SpanSide({ reporter, tracing: side, operations, exporter, nodeId, chance });
  }

  #exporterOf({ collector, serviceName }: SideTracing, used: Set<string>): SpanExporter {
    const key = JSON.stringify([serviceName, collector]);
    used.add(key);
    const known = this.#exporters.get(key);
    if (known !== undefined) return known;
    const { log, version, connect = connectByName } = this.#options;
    const send = collector.protocol === "grpc" ? sendOverGrpc : sendOverHttp;
    const exporter = new SpanExporter({
      provider: collector.provider,
      send: send(collector, connect),
      requestOf: spanRequests({ serviceName, ...(version !== undefined && { version }) }),
      log,
      chance: Math.random,
    });
    this.#exporters.set(key, exporter);
    return exporter;
  }

  /** Those of which nobody speaks any more send what they have. */
  #retainOnly(used: ReadonlySet<string>): void {
    for (const [key, exporter] of this.#exporters) {
      if (used.has(key)) continue;
      this.#exporters.delete(key);
      const closing = exporter.close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
  }
}
