/**
 * `x-forwarded-for` at the edge (AP-51, AP-51a): whose request it is, and what is told onwards. Only what proxies in front of
 * the gateway have written counts, and only as many of them as the mesh configuration trusts.
 * Source: `ConnectionManagerUtility::mutateRequestHeaders` of envoyproxy/envoy, with `use_remote_address`
 */
import { statedAddress } from "../../api/plain-address.ts";

export const FORWARDED_FOR = "x-forwarded-for";

/** Longer than any chain of proxies; what comes beyond it from a stranger is not read. */
const MAX_TRUSTED = 32;

/**
 * @param received as it came; undefined: nothing
 * @param direct the address that the connection came from
 * @returns of so many trusted proxies the address that the farthest one saw; `direct` where there are fewer
 */
export function clientAddress(
  received: string | undefined,
  { direct, trustedProxies }: { readonly direct: string; readonly trustedProxies: number },
): string {
  if (received === undefined || trustedProxies === 0) return direct;
  const hop = entryFromTheEnd(received, Math.min(trustedProxies, MAX_TRUSTED));
  return hop === undefined ? direct : (statedAddress(hop) ?? direct);
}

/** With the address that the connection came from behind it. */
export function extended(received: string | undefined, direct: string): string {
  return received === undefined || received === "" ? direct : `${received},${direct}`;
}

/** @param place 1 for the last */
function entryFromTheEnd(list: string, place: number): string | undefined {
  let end = list.length;
  for (let left = place; ; left--) {
    const comma = end <= 0 ? -1 : list.lastIndexOf(",", end - 1);
    if (left === 1) return list.slice(comma + 1, end).trim();
    if (comma < 0) return undefined;
    end = comma;
  }
}
