/** `namespace/host` of Gateway servers and Sidecar egress listeners: which services they mean. */
import { quoted } from "../quoted.ts";
import { isAddress, isDnsLabel, wildcardHostProblem } from "./host-name.ts";

/** Whose host it is; "converted-gateway" is a Gateway made from one of the Gateway API, which may say `~`. */
export type NamespacedHostOwner = "gateway" | "converted-gateway" | "sidecar";

/** A gateway's host may come without a namespace, and may be an address; a sidecar's must have one. */
export function namespacedHostProblem(
  text: string,
  owner: NamespacedHostOwner,
): string | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) {
    return owner === "sidecar"
      ? `${quoted(text)} has no namespace; expected NAMESPACE/HOST`
      : hostPartProblem(text, owner);
  }
  const namespace = text.slice(0, slash);
  const host = text.slice(slash + 1);
  if (namespace === "" || host === "") {
    return `${quoted(text)} has an empty namespace or host; expected NAMESPACE/HOST`;
  }
  return namespaceProblem(namespace, owner) ?? hostPartProblem(host, owner);
}

/** A sidecar's namespace may be excluded by a `~` before it. */
function namespaceProblem(namespace: string, owner: NamespacedHostOwner): string | undefined {
  if (owner === "converted-gateway" && namespace === "~") return undefined;
  const name = owner === "sidecar" ? namespace.replace(/^~/, "") : namespace;
  const wellFormed =
    name === "*" || name === "." || isDnsLabel(name) || (owner === "sidecar" && name === "");
  return wellFormed
    ? undefined
    : `${quoted(namespace)} is not a namespace; expected a name, "." or "*"`;
}

function hostPartProblem(host: string, owner: NamespacedHostOwner): string | undefined {
  if (host !== "*" && !host.includes(".")) {
    return `${quoted(host)} is a short name; expected a full one`;
  }
  const problem = wildcardHostProblem(host);
  if (problem !== undefined && (owner === "sidecar" || !isAddress(host))) return problem;
  return host.includes("*") && host !== "*" && !host.startsWith("*.")
    ? `${quoted(host)} has a wildcard that is not a whole label; expected "*." at the front`
    : undefined;
}
