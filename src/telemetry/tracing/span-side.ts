/** What one side of a sidecar does about spans, compiled once for each view. */
import type { EffectiveTracing, SideTracing } from "../../policy/workload-view.ts";
import type { LoggedCall } from "../logged-call.ts";
import { encodeSpan } from "./otlp-span.ts";
import type { CalledPlace, Span } from "./span.ts";
import { isServerError, spanAttributes } from "./span-attributes.ts";
import type { SpanExporter } from "./span-exporter.ts";
import { compileSpanTags, type TagValue } from "./span-tag-values.ts";

export interface SpanSideOptions {
  readonly reporter: "source" | "destination";
  readonly tracing: SideTracing;
  readonly operations: EffectiveTracing["operations"];
  readonly exporter: SpanExporter;
  /** Envoy's name of a sidecar: `sidecar~10.0.0.7~api-0.shop~shop.svc.cluster.local` */
  readonly nodeId: string;
  /** A number in [0, 1). */
  readonly chance: () => number;
}

export class SpanSide {
  readonly #exporter: SpanExporter;
  readonly #kind: "server" | "client";
  readonly #operations: ReadonlyMap<number, string>;
  readonly #tags: readonly TagValue[];
  readonly #facts: { readonly nodeId: string; readonly maxPathLength: number };
  readonly sampledOf10000: number;
  readonly sampledBy: SideTracing["sampledBy"];
  readonly propagation: SideTracing["propagation"];
  readonly chance: () => number;

  constructor({ reporter, tracing, operations, exporter, nodeId, chance }: SpanSideOptions) {
    this.#exporter = exporter;
    this.#kind = reporter === "source" ? "client" : "server";
    this.#operations = new Map(operations.map(({ containerPort, name }) => [containerPort, name]));
    this.#tags = compileSpanTags(tracing.tags);
    this.#facts = { nodeId, maxPathLength: tracing.maxPathLength };
    this.sampledOf10000 = tracing.sampledOf10000;
    this.sampledBy = tracing.sampledBy;
    this.propagation = tracing.propagation;
    this.chance = chance;
  }

  /** As Istio's routes are called; where no service is known, as Envoy calls it. */
  nameOf({ destination, containerPort, authority = "" }: CalledPlace): string {
    if (destination !== undefined) return `${destination.host}:${destination.servicePort}/*`;
    if (this.#kind === "client") return `egress ${authority.slice(0, MAX_NAME)}`;
    return this.#operations.get(containerPort ?? 0) ?? "ingress";
  }

  tell(
    span: Span,
    { call, endedAt }: { readonly call: LoggedCall; readonly endedAt: number },
  ): void {
    const attributes = spanAttributes(call, this.#facts);
    for (const { name, read } of this.#tags) {
      const value = read(call);
      if (value !== "") attributes.set(name, value);
    }
    const isError = isServerError(call, this.#kind);
    this.#exporter.add(encodeSpan(span, { kind: this.#kind, endedAt, attributes, isError }));
  }
}

/** A name of a stranger's. */
const MAX_NAME = 256;
