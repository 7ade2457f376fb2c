/** Values that several kinds of the Gateway API have, and what its resource definitions demand of them. */
import type { Check, Fields } from "../decoder.ts";
import { parseGoDuration } from "../go-duration.ts";
import { quoted } from "../quoted.ts";
import { labelNameProblem, subdomainProblem } from "../resource-names.ts";

export const GATEWAY_GROUP = "gateway.networking.k8s.io";

/** Names something, perhaps in another namespace. */
export interface ObjectReference {
  /** "" is Kubernetes' own. */
  readonly group: string;
  readonly kind: string;
  /** Absent: that of whoever names it. */
  readonly namespace?: string;
  readonly name: string;
}

export function objectReference(
  fields: Fields,
  usual: { readonly group: string; readonly kind: string },
): ObjectReference {
  const namespace = fields.text("namespace", labelNameProblem);
  return {
    group: fields.text("group") ?? usual.group,
    kind: fields.text("kind") ?? usual.kind,
    ...(namespace !== undefined && { namespace }),
    name: fields.requiredText("name", subdomainProblem),
  };
}

/** A DNS name in lower case, perhaps with `*.` in front. */
export const hostnameProblem: Check = (text) => {
  const name = text.startsWith("*.") ? text.slice(2) : text;
  const isAddress = /^\d+(\.\d+){3}$/.test(name);
  if (!isAddress && subdomainProblem(name) === undefined) return undefined;
  return `${quoted(text)} is not a host: a DNS name in lower case, perhaps with "*." in front`;
};

const DURATION = /^([0-9]{1,5}(h|m|s|ms)){1,4}$/;

/** In milliseconds; undefined when absent. */
export function durationAt(fields: Fields, name: string): number | undefined {
  const text = fields.text(name, (written) =>
    DURATION.test(written) ? undefined : `${quoted(written)} is not a duration such as "10s"`,
  );
  return text === undefined ? undefined : parseGoDuration(text);
}

export function mostItems(fields: Fields, name: string, most: number): void {
  if (fields.itemCount(name) > most) fields.report(name, `must not have more than ${most} items`);
}
