/** What stands in a field, for messages; or only of what type it is, where the value is a secret. */
import { quoted, shortened } from "./quoted.ts";
import type { YamlNode } from "./yaml-documents.ts";

/** Whether messages may repeat what the user wrote. */
export type ValueDisplay = "shown" | "concealed";

/** `"abc"`, `the number 5`, `a map`; concealed: `text`, `a number`, `a map`. */
export function describeNode(node: YamlNode, display: ValueDisplay): string {
  if (node.type === "map") return "a map";
  if (node.type === "list") return "a list";
  if (node.value === null) return "empty";
  if (display === "concealed") return concealedScalar(typeof node.value);
  if (typeof node.value === "string") return quoted(node.value);
  return `the ${typeof node.value} ${shortened(node.text)}`;
}

/** How to write as text what stands there as something else; "" when that is not the trouble. */
export function quoteHint(node: YamlNode, display: ValueDisplay): string {
  if (node.type !== "scalar" || node.value === null) return "";
  return display === "shown" ? `: write ${quoted(node.text)}` : ": write it in quotes";
}

function concealedScalar(type: string): string {
  return type === "string" ? "text" : `a ${type}`;
}
