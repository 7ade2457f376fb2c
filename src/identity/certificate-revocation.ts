/**
 * Whether a verified chain holds a revoked certificate. Where no list speaks of a certificate its status is unknown, and
 * unknown is allowed (CA-51); a list past its next update still revokes what it names.
 */
import type { X509Certificate } from "node:crypto";
import { describeError } from "../runtime/hauberk-error.ts";
import { authorityKeyIdentifier } from "./certificate-extensions.ts";
import { certificateProfile } from "./certificate-profile.ts";
import {
  parseRevocationList,
  type RevocationList,
  revocationListProblem,
  serialText,
} from "./certificate-revocation-list.ts";
import { nameText } from "./name-text.ts";

/** More lists than a mesh holds at once, those of an authority that comes and of one that goes included. */
const MAX_CACHED_LISTS = 64;
const MAX_CACHED_ISSUERS = 64;

/** By PEM; what cannot be read is remembered too. */
const parsed = new Map<string, RevocationList | string>();
/** Whether a list is that of an issuer, by the issuer's SHA-256: asked with every connection. */
const judged = new WeakMap<RevocationList, Map<string, boolean>>();

/**
 * @param chain verified, leaf first; with the root at its end where that is known, else what the root has revoked is
 *   found by the root's name and key identifier alone: the lists came from the control plane, which verified them
 * @param crlsPem one list each
 * @returns which certificate is revoked, in words; undefined when none is. A list that cannot be read is a problem too.
 */
export function revocationProblem(
  chain: readonly X509Certificate[],
  crlsPem: readonly string[],
  now: Date,
): string | undefined {
  if (crlsPem.length === 0) return undefined;
  const lists = crlsPem.map(cachedList);
  const unreadable = lists.find((list) => typeof list === "string");
  if (unreadable !== undefined) return unreadable;
  const readable = lists.filter((list) => typeof list !== "string");
  try {
    return firstRevoked(chain, { lists: readable, now });
  } catch (error) {
    return untold(error);
  }
}

/** Whether any of these lists names the certificate. */
export function isRevoked(
  certificate: X509Certificate,
  lists: readonly RevocationList[],
  issuer?: X509Certificate,
): boolean {
  return lists.some((list) => revokedSince(certificate, { issuer, list }) !== undefined);
}

function firstRevoked(
  chain: readonly X509Certificate[],
  { lists, now }: { readonly lists: readonly RevocationList[]; readonly now: Date },
): string | undefined {
  for (const [index, certificate] of chain.entries()) {
    for (const list of lists) {
      const since = revokedSince(certificate, { issuer: chain[index + 1], list });
      if (since !== undefined) return sentence(certificate, { since, list, now });
    }
  }
  return undefined;
}

function revokedSince(
  certificate: X509Certificate,
  { issuer, list }: { readonly issuer: X509Certificate | undefined; readonly list: RevocationList },
): Date | undefined {
  const profile = certificateProfile(certificate);
  const since = list.revoked.get(serialText(profile.serialNumber));
  if (since === undefined || !list.issuer.equals(profile.issuer)) return undefined;
  if (issuer !== undefined) return isListOf(list, issuer) ? since : undefined;
  const [own, named] = [list.authorityKeyIdentifier, authorityKeyIdentifier(profile.extensions)];
  const isOtherKey = own !== undefined && named !== undefined && !own.equals(named);
  return isOtherKey ? undefined : since;
}

function isListOf(list: RevocationList, issuer: X509Certificate): boolean {
  const known = judged.get(list) ?? new Map<string, boolean>();
  judged.set(list, known);
  const cached = known.get(issuer.fingerprint256);
  if (cached !== undefined) return cached;
  if (known.size >= MAX_CACHED_ISSUERS) known.clear();
  const isOwn = revocationListProblem(list, issuer) === undefined;
  known.set(issuer.fingerprint256, isOwn);
  return isOwn;
}

function cachedList(pem: string): RevocationList | string {
  const cached = parsed.get(pem);
  if (cached !== undefined) return cached;
  if (parsed.size >= MAX_CACHED_LISTS) parsed.clear();
  const list = read(pem);
  parsed.set(pem, list);
  return list;
}

function read(pem: string): RevocationList | string {
  try {
    return parseRevocationList(pem);
  } catch (error) {
    return untold(error);
  }
}

function untold(error: unknown): string {
  return `whether it is revoked cannot be told: ${describeError(error)}`;
}

function sentence(
  { serialNumber, subject }: X509Certificate,
  { since, list, now }: { readonly since: Date; readonly list: RevocationList; readonly now: Date },
): string {
  const name = subject === "" || subject === undefined ? "" : ` of ${nameText(subject)}`;
  const isStale = list.nextUpdate !== undefined && now > list.nextUpdate;
  const stale = isStale
    ? `, by a list that was due to be replaced at ${list.nextUpdate?.toISOString()}`
    : "";
  return `certificate ${serialNumber}${name} is revoked since ${since.toISOString()}${stale}`;
}
