/**
 * The metrics of several processes as those of one sidecar: what is counted is added, what is measured is told by its
 * meaning. What a process had counted when it was last asked stays in the sum after its end, so that no counter goes back.
 */

/** How the values of several processes for one series become one. */
type Combine = (one: number, other: number) => number;

const add: Combine = (one, other) => one + other;

/** Whatever else is no counter and no histogram is added. */
const MEASURED: ReadonlyMap<string, Combine> = new Map([
  ["hauberk_certificate_expiry_seconds", Math.min],
  ["hauberk_served_certificate_behind", Math.max],
]);

interface Family {
  readonly type: string;
  /** Its HELP and TYPE lines. */
  readonly head: string;
  /** By name and labels, as they are written. */
  readonly series: Map<string, number>;
}

type Exposition = ReadonlyMap<string, Family>;

export class SummedMetrics {
  readonly #latest = new Map<number, Exposition>();
  readonly #ended = new Map<string, Family>();

  /** @param text what the process tells now, in Prometheus' text format */
  take(process: number, text: string): void {
    this.#latest.set(process, parse(text));
  }

  /** What it measured is of no use any more; what it counted is. */
  end(process: number): void {
    const last = this.#latest.get(process);
    this.#latest.delete(process);
    if (last === undefined) return;
    const counted = [...last].filter(([, { type }]) => type !== "gauge");
    addTo(this.#ended, new Map(counted));
  }

  /** In Prometheus' text format. */
  text(): string {
    const sum = new Map<string, Family>();
    addTo(sum, this.#ended);
    for (const exposition of this.#latest.values()) addTo(sum, exposition);
    return [...sum.values()].map(printed).join("\n");
  }
}

function addTo(sum: Map<string, Family>, exposition: Exposition): void {
  for (const [name, { type, head, series }] of exposition) {
    const family = sum.get(name) ?? { type, head, series: new Map<string, number>() };
    sum.set(name, family);
    const combine = MEASURED.get(name) ?? add;
    for (const [key, value] of series) {
      const before = family.series.get(key);
      family.series.set(key, before === undefined ? value : combine(before, value));
    }
  }
}

/** Of our own sidecars: each family has its TYPE before its series, and no series has a time. */
function parse(text: string): Exposition {
  const families = new Map<string, Family>();
  let help = "";
  let family: Family | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("# HELP ")) help = `${line}\n`;
    else if (line.startsWith("# TYPE ")) {
      const [, , name = "", type = ""] = line.split(" ");
      family = { type, head: `${help}${line}\n`, series: new Map() };
      families.set(name, family);
      help = "";
    } else if (line !== "") {
      const space = line.lastIndexOf(" ");
      family?.series.set(line.slice(0, space), numberOf(line.slice(space + 1)));
    }
  }
  return families;
}

function numberOf(text: string): number {
  return text.endsWith("Inf") ? Number(text.replace("Inf", "Infinity")) : Number(text);
}

function printed({ head, series }: Family): string {
  const lines = [...series].map(([key, value]) => `${key} ${textOf(value)}\n`);
  return `${head}${lines.join("")}`;
}

function textOf(value: number): string {
  return Number.isFinite(value) ? `${value}` : `${value}`.replace("Infinity", "Inf");
}
