/** What a comparison has really asked: a field that is never asked, or never matches, proves nothing. */
import type { Truth } from "./asked.ts";
import type { NaiveDecision } from "./interpret.ts";

interface FieldCount {
  asked: number;
  held: number;
  untranslatable: number;
}

export class Coverage {
  readonly fields: Map<string, FieldCount> = new Map();
  readonly outcomes: Map<string, number> = new Map();

  readonly observe = (field: string, answer: Truth): void => {
    const count = this.fields.get(field) ?? { asked: 0, held: 0, untranslatable: 0 };
    count.asked += 1;
    if (answer === true) count.held += 1;
    if (answer === "untranslatable") count.untranslatable += 1;
    this.fields.set(field, count);
  };

  count(protocol: "http" | "tcp", decision: NaiveDecision): void {
    this.#outcome(`${protocol} ${decision.verdict} ${decision.because}`);
    if (decision.afterwards) this.#outcome(`${protocol} afterwards ${decision.afterwards.because}`);
    if (decision.dryRun) this.#outcome(`${protocol} on trial ${decision.dryRun.because}`);
    if (decision.audited) this.#outcome(`${protocol} audited`);
  }

  #outcome(name: string): void {
    this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
  }

  /** Two tables, by name. */
  lines(): readonly string[] {
    const byName = <Value>(one: [string, Value], other: [string, Value]): number =>
      one[0] < other[0] ? -1 : 1;
    const fields = [...this.fields].sort(byName).map(([field, { asked, held, untranslatable }]) => {
      const share = `${((100 * held) / asked).toFixed(1)} %`;
      return `${field.padEnd(52)}${`${asked}`.padStart(11)}${share.padStart(9)}${`${untranslatable}`.padStart(11)}`;
    });
    const outcomes = [...this.outcomes]
      .sort(byName)
      .map(([outcome, count]) => `${outcome.padEnd(52)}${`${count}`.padStart(11)}`);
    const head = `${"field".padEnd(52)}${"asked".padStart(11)}${"held".padStart(9)}${"no form".padStart(11)}`;
    return [head, ...fields, "", `${"outcome".padEnd(52)}${"times".padStart(11)}`, ...outcomes];
  }
}
