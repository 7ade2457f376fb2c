/** Labels of workloads as Istio's webhook judges them: subsets, and the callers a route is for. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { textPairsIn } from "./written-values.ts";

const DNS_LABEL = "[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?";
const WORD = "(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY = new RegExp(`^(${DNS_LABEL}(?:\\.${DNS_LABEL})*/)?(${WORD})$`);
const VALUE = new RegExp(`^(?:${WORD})?$`);
const MAX_PREFIX_LENGTH = 253;
const MAX_WORD_LENGTH = 63;

/** Reports every pair of the map at `name` that can be no label of a pod. Values may be of any length. */
export function checkLabels(fields: Fields, name: string): void {
  const section = fields.section(name);
  for (const [key, value] of textPairsIn(fields, name)) {
    if (!isLabelKey(key)) section.report(key, "is not a label key");
    if (!VALUE.test(value)) section.report(key, `${quoted(value)} is not a label value`);
  }
}

function isLabelKey(key: string): boolean {
  const [, prefix = "", word = ""] = KEY.exec(key) ?? [];
  return word !== "" && word.length <= MAX_WORD_LENGTH && prefix.length - 1 <= MAX_PREFIX_LENGTH;
}
