/** The headers of a request as rules are asked about them: what was sent, and what a callee's proxy says itself. */
import { calleeOf } from "./callee-identity.ts";
import { signed } from "./known-parties.ts";
import type { CalledPort, PolicySet, WireRequest } from "./question.ts";

/** Lines of one name joined (RFC 9110 section 5.3). @param name in lower case */
export function sentHeader(
  { headers, token }: WireRequest,
  name: string,
  protocol: CalledPort["protocol"] = "http/1.1",
): string | undefined {
  const values = headers
    .filter(([other]) => other.toLowerCase() === name)
    .map(([, value]) => value);
  if (name === "authorization" && token !== undefined) values.push(`Bearer ${signed(token)}`);
  return values.length === 0 ? undefined : values.join(separator(name, protocol));
}

/** RFC 9113 section 8.2.3 */
function separator(name: string, protocol: CalledPort["protocol"]): string {
  return name === "cookie" && protocol === "h2" ? "; " : ",";
}

type Lookup = (name: string) => string | undefined;

export function asApplicationsHear(
  request: WireRequest,
  { caller, protocol, set }: Pick<CalledPort, "caller" | "protocol"> & { readonly set: PolicySet },
): Lookup {
  const sent: Lookup = (name) => sentHeader(request, name, protocol);
  const own: Readonly<Record<string, Lookup>> = {
    "x-request-id": (name) => sent(name) || "0d4b0ce4-1b0e-4a4c-8f5e-2a6d3a1c9b55",
    "x-forwarded-proto": (name) => sent(name) || (caller.kind === "plaintext" ? "http" : "https"),
    "x-envoy-internal": () => undefined,
    "x-forwarded-client-cert": (name) => {
      if (caller.kind !== "identity") return undefined;
      const element = `By=${calleeOf(set)};Hash=${"0".repeat(64)};Subject="";URI=${caller.uri}`;
      return [sent(name), element].filter((one) => one !== undefined).join(",");
    },
  };
  return (name) => (Object.hasOwn(own, name) ? own[name]?.(name) : sent(name));
}

/** What Envoy takes away, with whatever `Connection` names. */
const OF_THIS_HOP: readonly string[] = [
  "connection",
  "expect",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
];

/** Whether a client has addressed a field to this hop alone (RFC 9110 section 7.6.1). @param name in lower case */
export function isOfThisHop(request: WireRequest, name: string): boolean {
  return OF_THIS_HOP.includes(name) || isNamedByConnection(request, name);
}

/** @param name in lower case */
export function isNamedByConnection(request: WireRequest, name: string): boolean {
  const named = sentHeader(request, "connection")?.toLowerCase().split(",") ?? [];
  return named.some((one) => one.trim() === name);
}
