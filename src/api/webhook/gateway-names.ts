/** `gateways` of a VirtualService and of its matches: `mesh`, a name, or `namespace/name`. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { hostNameProblem, isDnsLabel } from "./host-name.ts";
import type { Warnings } from "./warnings.ts";
import { textsIn } from "./written-values.ts";

export interface GatewayNameContext {
  readonly warnings: Warnings;
  /** "converted" for routes that istiod made from the Gateway API: their gateways' names are not judged. */
  readonly names: "judged" | "converted";
}

/** Of a list, istiod judges the names up to the first without a namespace, `mesh` among them. */
export function checkGatewayNames(owner: Fields, { warnings, names }: GatewayNameContext): void {
  for (const [item, text] of textsIn(owner, "gateways").entries()) {
    const at = { name: "gateways", item };
    const slash = text.indexOf("/");
    if (slash < 0) {
      if (text.includes(".") && warnings === "passed on") owner.notice(at, preferredForm(text));
      const problem = hostNameProblem(text);
      if (problem !== undefined) owner.report(at, problem);
      return;
    }
    const [namespace, name] = [text.slice(0, slash), text.slice(slash + 1)];
    const named = isDnsLabel(name) || (names === "converted" && name !== "");
    if (!isDnsLabel(namespace) || !named) {
      owner.report(at, `${quoted(text)} is not a gateway; expected NAMESPACE/NAME`);
    }
  }
}

function preferredForm(text: string): string {
  const [name = "", namespace = ""] = text.split(".");
  return `${quoted(text)} is written the old way; prefer ${quoted(`${namespace}/${name}`)}`;
}
