/**
 * Istio's metrics of requests, kept by ourselves: a sidecar counts every request in four metrics of 25 labels, and a
 * library that looks the labels up each time would cost more than the rest of the request's record.
 */

/** Upper bounds, of milliseconds and of bytes: Envoy's defaults. */
const BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000,
  1_800_000, 3_600_000,
] as const;

/** Requests that have all their labels in common. */
export interface RequestSeries {
  /**
   * @param durationMs from the request's first byte to the response's last
   * @param bytes of bodies: what the callee received and sent
   */
  record(durationMs: number, bytes: RequestBytes): void;
}

export interface RequestBytes {
  readonly received: number;
  readonly sent: number;
}

export class RequestMetrics {
  /** By their labels as text. */
  readonly #series = new Map<string, CountedSeries>();

  series(labels: Readonly<Record<string, string>>): RequestSeries {
    const text = labelText(labels);
    let series = this.#series.get(text);
    if (series === undefined) {
      series = new CountedSeries();
      this.#series.set(text, series);
    }
    return series;
  }

  /** In Prometheus' text format. */
  text(): string {
    const all = [...this.#series];
    const counted = all.map(([labels, { total }]) => `istio_requests_total{${labels}} ${total}\n`);
    const histograms = HISTOGRAMS.map(({ name, help, of }) => {
      const lines = all.map(([labels, series]) => of(series).text(name, labels));
      return `${header(name, { help, type: "histogram" })}${lines.join("")}`;
    });
    const help = "Requests, allowed or not; those that got no answer have code 0.";
    return `${header("istio_requests_total", { help, type: "counter" })}${counted.join("")}${histograms.join("")}`;
  }
}

class CountedSeries implements RequestSeries {
  total = 0;
  readonly durations: Distribution = new Distribution();
  readonly received: Distribution = new Distribution();
  readonly sent: Distribution = new Distribution();

  record(durationMs: number, { received, sent }: RequestBytes): void {
    this.total++;
    this.durations.observe(durationMs);
    this.received.observe(received);
    this.sent.observe(sent);
  }
}

const HISTOGRAMS: readonly {
  readonly name: string;
  readonly help: string;
  readonly of: (series: CountedSeries) => Distribution;
}[] = [
  {
    name: "istio_request_duration_milliseconds",
    help: "How long requests took, in milliseconds.",
    of: ({ durations }) => durations,
  },
  {
    name: "istio_request_bytes",
    help: "Size of the bodies of requests, in bytes.",
    of: ({ received }) => received,
  },
  {
    name: "istio_response_bytes",
    help: "Size of the bodies of responses, in bytes.",
    of: ({ sent }) => sent,
  },
];

class Distribution {
  /** Of each bucket alone; the last is above all bounds. */
  readonly #counts = new Float64Array(BOUNDS.length + 1);
  #sum = 0;

  observe(value: number): void {
    let bucket = 0;
    // Written so because iterating costs as much again; beyond all bounds the comparison fails.
    while (value > (BOUNDS[bucket] ?? value)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  text(name: string, labels: string): string {
    let lines = "";
    let count = 0;
    for (const [bucket, own] of this.#counts.entries()) {
      count += own;
      const bound = BOUNDS[bucket] ?? "+Inf";
      lines += `${name}_bucket{le="${bound}",${labels}} ${count}\n`;
    }
    return `${lines}${name}_sum{${labels}} ${this.#sum}\n${name}_count{${labels}} ${count}\n`;
  }
}

function header(
  name: string,
  { help, type }: { readonly help: string; readonly type: "counter" | "histogram" },
): string {
  return `\n# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
