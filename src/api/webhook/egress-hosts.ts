/** Hosts of a Sidecar's egress listener that say again what another host of the same listener has said. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { textsIn } from "./written-values.ts";

/** @param namespace of the Sidecar: what "." stands for */
export function warnOfRepeatedHosts(listener: Fields, namespace: string): void {
  const hostsOf = new Map<string, Set<string>>();
  for (const [item, text] of textsIn(listener, "hosts").entries()) {
    const slash = text.indexOf("/");
    if (slash < 0 || text.startsWith("~")) continue;
    const written = text.slice(0, slash);
    const owner = written === "." ? namespace : written;
    const host = text.slice(slash + 1);
    const known = hostsOf.get(owner) ?? new Set();
    if (isCovered(host, known)) {
      listener.notice({ name: "hosts", item }, `${quoted(text)} repeats what another host says`);
    }
    hostsOf.set(owner, known.add(host));
  }
  if (hostsOf.get("*")?.has("*") && hostsOf.size > 1) {
    listener.notice("hosts", 'has "*/*", which is every host, and others');
  }
}

function isCovered(host: string, known: ReadonlySet<string>): boolean {
  return host === "*" ? known.size > 0 : known.has(host) || known.has("*");
}
