/** Who is calling the control plane. Everything that is issued or shown depends on this answer alone (CA-5, CA-6). */
import type { X509Certificate } from "node:crypto";
import { revocationProblem } from "../identity/certificate-revocation.ts";
import { issuerKeyId } from "../identity/issuer-key-id.ts";
import { spiffeIdOfCertificate, verifyTrustDomain } from "../identity/peer-certificate.ts";
import { presentedChain } from "../identity/presented-chain.ts";
import { parseWorkloadIdentity, type SpiffeId, spiffeId } from "../identity/spiffe-id.ts";
import type { Clock } from "../runtime/clock.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { Watched } from "../runtime/watched.ts";
import type { Caller } from "../wire/grpc-service.ts";
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
  /** Which runs now, and whose token was shown. */
  readonly pod?: TokenBearer;
}

export type AuthenticateCaller = (caller: Caller) => Promise<AuthenticatedCaller>;

export interface CallerAuthenticationOptions {
  readonly trustDomain: string;
  readonly tokens: { verify(token: string, now: Date): Promise<TokenBearer> };
  /** Whether exactly this pod runs now: a token dies with its pod. */
  readonly isLivePod: (pod: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly serviceAccount: string;
  }) => boolean;
  /** Whether any pod runs now as this service account. */
  readonly isLiveAccount: (account: {
    readonly namespace: string;
    readonly serviceAccount: string;
  }) => boolean;
  /**
   * Subject key identifiers, lower-case hexadecimal, of authorities that were trusted once and are no more: TLS refuses
   * their certificates, but a connection may be older than that.
   */
  readonly distrusted: Pick<Watched<ReadonlySet<string>>, "current">;
  /** Of it, the revocation lists: whoever can sign with the key of a revoked intermediate must not buy another's (CA-50). */
  readonly trust: Pick<Watched<Pick<AuthorityTrust, "crlsPem">>, "current">;
  readonly clock: Clock;
}

/**
 * A verified client certificate comes first; without one, a bearer token (CA-5).
 * The returned function throws `UnauthenticatedCallerError`, or `InvalidTokenError` for a token.
 */
export function authenticateCaller(options: CallerAuthenticationOptions): AuthenticateCaller {
  return async (caller) => {
    if (caller.certificate !== undefined) {
      const id = callerOfCertificate(caller, options.trustDomain);
      verifyIssuer(caller.certificate, options);
      verifyAccount(id, options);
      return { id, by: "certificate" };
    }
    const bearer = await options.tokens.verify(readToken(caller), options.clock.now());
    verifyPod(bearer, options);
    const id = spiffeId({ trustDomain: options.trustDomain, ...bearer });
    return { id, by: "token", pod: bearer };
  };
}

/**
 * The workload whose certificate a caller has proved.
 *
 * @throws UnauthenticatedCallerError if there is none of our trust domain
 */
export function callerOfCertificate(caller: Caller, trustDomain: string): SpiffeId {
  if (caller.certificate === undefined)
    throw new UnauthenticatedCallerError("the caller has no certificate");
  try {
    const id = spiffeIdOfCertificate(caller.certificate);
    verifyTrustDomain(id, { trustDomain, trustDomainAliases: [] });
    parseWorkloadIdentity(id);
    return id;
  } catch (cause) {
    throw new UnauthenticatedCallerError("the caller's certificate names no workload", { cause });
  }
}

function verifyIssuer(
  certificate: X509Certificate,
  { distrusted, trust, clock }: CallerAuthenticationOptions,
): void {
  const issuer = issuerKeyId(certificate);
  if (issuer !== undefined && distrusted.current.has(issuer))
    throw new UnauthenticatedCallerError(
      `the caller's certificate is of authority key ${issuer}, which is trusted no more`,
    );
  const chain = presentedChain(certificate);
  const problem = revocationProblem(chain, trust.current.crlsPem, clock.now());
  if (problem !== undefined) throw new UnauthenticatedCallerError(`the caller's ${problem}`);
}

/** A certificate outlives its workload; what it may still ask for must not. */
function verifyAccount(id: SpiffeId, { isLiveAccount }: CallerAuthenticationOptions): void {
  if (isLiveAccount(parseWorkloadIdentity(id))) return;
  throw new UnauthenticatedCallerError(`no pod runs as ${id}`);
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

function verifyPod(bearer: TokenBearer, { isLivePod }: CallerAuthenticationOptions): void {
  const { namespace, podName, podUid, serviceAccount } = bearer;
  if (isLivePod({ namespace, name: podName, uid: podUid, serviceAccount })) return;
  throw new UnauthenticatedCallerError(
    `the token is bound to pod ${namespace}/${podName} (${podUid}), which does not run`,
  );
}
