/** A table of upstream cases with a type for its cases, and the rules by which some of them have no form here. */
import {
  type CaseOutcome,
  type ConformanceCase,
  type ExclusionRule,
  excludedBy,
  type TableRunner,
} from "./suite-runner.ts";

export interface Table<Case> {
  /** Every field that is understood. */
  readonly fields: readonly (keyof Case & string)[];
  readonly exclusions?: readonly ExclusionRule<Case>[];
  run(test: Case, folder: string): CaseOutcome | Promise<CaseOutcome>;
}

export function table<Case extends ConformanceCase>({
  fields,
  exclusions = [],
  run,
}: Table<Case>): TableRunner {
  return {
    fields,
    run(test, folder) {
      // Only the fields of `Case` get here: a case with any other is skipped before.
      const typed = test as Case;
      return excludedBy(exclusions, typed) ?? run(typed, folder);
    },
  };
}

/** A table of which no case has a form here. */
export function excludedTable(reason: string): TableRunner {
  return { fields: "any", run: () => ({ outcome: "excluded", reason }) };
}
