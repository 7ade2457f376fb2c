/** Keys of users' tokens that are to be fetched from an address which the control plane never asks (JWT-85). */
import { keyAddressProblem } from "../api/key-address-rules.ts";
import type { RequestAuthentication } from "../api/request-authentication.ts";
import type { Notice, Resource } from "../api/resource.ts";
import { allowedRanges } from "../api/token-key-settings.ts";
import { meshSettingsOf, ofKind } from "./mesh-snapshot.ts";

/** Only where the address itself is written: what a name leads to is known when it is asked. */
export function keySourceNotices(resources: readonly Resource[]): readonly Notice[] {
  const policies = ofKind(resources, "RequestAuthentication");
  if (policies.length === 0) return [];
  const allowed = allowedRanges(meshSettingsOf(resources).tokenKeys);
  const problemOf = (address: string): string | undefined => keyAddressProblem(address, allowed);
  return policies.flatMap((policy) => noticesOn(policy, problemOf));
}

function noticesOn(
  { meta, rules }: RequestAuthentication,
  problemOf: (address: string) => string | undefined,
): readonly Notice[] {
  return rules.flatMap(({ keys, line }, index) => {
    const address = keys.from === "uri" ? writtenAddress(keys.uri) : undefined;
    const problem = address === undefined ? undefined : problemOf(address);
    if (problem === undefined) return [];
    const message = `names an address: ${problem}; until then all tokens of this issuer are refused`;
    return [{ source: { ...meta.source, line }, path: `spec.jwtRules[${index}].jwksUri`, message }];
  });
}

function writtenAddress(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const host = new URL(uri).hostname.replace(/^\[(.*)\]$/, "$1");
  return /^[\d.]+$|:/.test(host) ? host : undefined;
}
