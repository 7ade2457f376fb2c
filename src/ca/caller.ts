/** Who is calling the control plane. Everything that is issued or shown depends on this answer alone (CA-5, CA-6). */
import type { X509Certificate } from "node:crypto";
import { spiffeIdOfCertificate, verifyTrustDomain } from "../identity/peer-certificate.ts";
import { publicKeySha256 } from "../identity/public-key.ts";
import { parseWorkloadIdentity, type SpiffeId, spiffeId } from "../identity/spiffe-id.ts";
import type { Clock } from "../runtime/clock.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { Watched } from "../runtime/watched.ts";
import type { Caller } from "../wire/grpc-service.ts";
import { clientCertificateProblem } from "./client-certificate-problem.ts";
import type { IssueLog } from "./issue-log.ts";
import type { AuthorityTrust } from "./rotation.ts";
import type { TokenBearer } from "./service-account-tokens.ts";

const BEARER = /^Bearer ([^\s]+)$/;

/** Its message says why, for the log; the caller itself is told nothing. */
export class UnauthenticatedCallerError extends HauberkError {
  readonly code = "HAUBERK_UNAUTHENTICATED_CALLER";
}

export interface AuthenticatedCaller {
  readonly id: SpiffeId;
  readonly by: "certificate" | "token";
  /** Which runs now: whose token was shown, or for which the certificate was issued. */
  readonly pod: TokenBearer;
}

/** Whose certificate it is, and for which pod it was issued, which runs. */
export interface ProvenPod {
  readonly id: SpiffeId;
  readonly pod: TokenBearer;
  readonly certificate: X509Certificate;
}

export type AuthenticateCaller = (caller: Caller) => Promise<AuthenticatedCaller>;

export interface CallerAuthenticationOptions {
  readonly trustDomain: string;
  readonly tokens: { verify(token: string, now: Date): Promise<TokenBearer> };
  /** Whether exactly this pod runs now: a token dies with its pod, and so does a certificate. */
  readonly isLivePod: (pod: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly serviceAccount: string;
  }) => boolean;
  /** For which pod a certificate was issued, by its serial number and its key. */
  readonly holderOf: IssueLog["holderOf"];
  /** What a client certificate must lead to now, and the lists that must not name it (CA-50). */
  readonly trust: Pick<Watched<Pick<AuthorityTrust, "rootsPem" | "crlsPem">>, "current">;
  readonly clock: Clock;
}

/**
 * A verified client certificate comes first; without one, a bearer token (CA-5).
 * The returned function throws `UnauthenticatedCallerError`, or `InvalidTokenError` for a token.
 */
export function authenticateCaller(options: CallerAuthenticationOptions): AuthenticateCaller {
  return async (caller) => {
    if (caller.certificate !== undefined) {
      const { id, pod } = provenPod(caller, options);
      return { id, by: "certificate", pod };
    }
    const bearer = await options.tokens.verify(readToken(caller), options.clock.now());
    verifyPod(bearer, { what: "token is bound to", ...options });
    const id = spiffeId({ trustDomain: options.trustDomain, ...bearer });
    return { id, by: "token", pod: bearer };
  };
}

/**
 * The pod that runs now, for which a caller's certificate was issued that is good now.
 *
 * @throws UnauthenticatedCallerError if there is none
 */
export function provenPod(
  caller: Caller,
  options: Omit<CallerAuthenticationOptions, "tokens">,
): ProvenPod {
  const { id, certificate } = provenIdentity(caller, options);
  const pod = podOf(certificate, { id, ...options });
  verifyPod(pod, { what: "certificate is for", ...options });
  return { id, pod, certificate };
}

/**
 * The workload whose certificate a caller has proved, and which is good now.
 *
 * @throws UnauthenticatedCallerError if there is none of our trust domain
 */
export function provenIdentity(
  { certificate }: Caller,
  {
    trustDomain,
    trust,
    clock,
  }: Pick<CallerAuthenticationOptions, "trustDomain" | "trust" | "clock">,
): Omit<ProvenPod, "pod"> {
  if (certificate === undefined)
    throw new UnauthenticatedCallerError("the caller has no certificate");
  const id = identityIn(certificate, trustDomain);
  const now = clock.now();
  const problem = clientCertificateProblem(certificate, { trust: trust.current, now });
  if (problem === undefined) return { id, certificate };
  throw new UnauthenticatedCallerError(`the client certificate ${problem}`);
}

function identityIn(certificate: X509Certificate, trustDomain: string): SpiffeId {
  try {
    const id = spiffeIdOfCertificate(certificate);
    verifyTrustDomain(id, { trustDomain, trustDomainAliases: [] });
    parseWorkloadIdentity(id);
    return id;
  } catch (cause) {
    throw new UnauthenticatedCallerError("the caller's certificate names no workload", { cause });
  }
}

/** What the book does not tell of was issued by another, or to a node agent in another's name: it buys nothing here. */
function podOf(
  { serialNumber, publicKey }: X509Certificate,
  { id, holderOf }: { readonly id: SpiffeId } & Pick<CallerAuthenticationOptions, "holderOf">,
): TokenBearer {
  const holder = holderOf(serialNumber, publicKeySha256(publicKey));
  if (holder?.identity === id) return holder.pod;
  throw new UnauthenticatedCallerError(
    `the issue log knows no pod to which certificate ${serialNumber} of ${id} was issued; a token is needed`,
  );
}

function readToken(caller: Caller): string {
  const [authorization, ...others] = caller.headers("authorization");
  if (authorization === undefined)
    throw new UnauthenticatedCallerError("there is neither a client certificate nor a token");
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined || others.length > 0)
    throw new UnauthenticatedCallerError("the authorization header is not one bearer token");
  return token;
}

function verifyPod(
  { namespace, podName, podUid, serviceAccount }: TokenBearer,
  { what, isLivePod }: Pick<CallerAuthenticationOptions, "isLivePod"> & { readonly what: string },
): void {
  if (isLivePod({ namespace, name: podName, uid: podUid, serviceAccount })) return;
  throw new UnauthenticatedCallerError(
    `the ${what} pod ${namespace}/${podName} (${podUid}), which does not run`,
  );
}
