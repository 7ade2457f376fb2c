/**
 * Whether the revocation lists that come with an authority say less than those in force: one that is gone, or an older one,
 * would lift revocations in silence (CA-50). Pure.
 */
import type { X509Certificate } from "node:crypto";
import {
  parseRevocationList,
  type RevocationList,
  revocationListProblem,
} from "../identity/certificate-revocation-list.ts";
import { nameText } from "../identity/name-text.ts";
import type { HeldAuthority } from "./held-authority.ts";

/**
 * @param options.inForce PEM, one each, of all authorities that are held
 * @returns why it must not be taken with these lists, in words; undefined when all is well
 */
export function laxerLists(
  { chain, material }: Pick<HeldAuthority, "chain" | "material">,
  { inForce }: { readonly inForce: readonly string[] },
): string | undefined {
  if (inForce.length === 0) return undefined;
  const [held, brought] = [inForce, material.crlsPem].map((list) => list.map(parseRevocationList));
  for (const issuer of chain) {
    const last = newestOf(held ?? [], issuer);
    if (last === undefined) continue;
    const next = newestOf(brought ?? [], issuer);
    if (next === undefined)
      return `ca-crl.pem is missing, or has no list of ${nameText(issuer.subject)}, of which one is in force: what that names stays revoked; to lift a revocation, bring a newer list that does not name it`;
    if (isOlder(next, last))
      return `ca-crl.pem has an older list of ${nameText(issuer.subject)} (${words(next)}) than the one in force (${words(last)}), which stays`;
  }
  return undefined;
}

function newestOf(
  lists: readonly RevocationList[],
  issuer: X509Certificate,
): RevocationList | undefined {
  const own = lists.filter((list) => revocationListProblem(list, issuer) === undefined);
  return own.reduce<RevocationList | undefined>(
    (newest, list) => (newest === undefined || isOlder(newest, list) ? list : newest),
    undefined,
  );
}

/**
 * Nobody but the CA can date or number a list, so an old one that comes back is older in both. Where the two speak against
 * each other the CA's clock was wrong once, or its count began anew: then it is the CA that means it.
 */
function isOlder(one: RevocationList, other: RevocationList): boolean {
  const byDate = one.thisUpdate.getTime() - other.thisUpdate.getTime();
  const byNumber = compare(one.number ?? 0n, other.number ?? 0n);
  if (one.number === undefined || other.number === undefined) return byDate < 0;
  return byDate <= 0 && byNumber <= 0 && (byDate < 0 || byNumber < 0);
}

function compare(one: bigint, other: bigint): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function words({ number, thisUpdate }: RevocationList): string {
  const count = number === undefined ? "" : `number ${number}, `;
  return `${count}of ${thisUpdate.toISOString()}`;
}
