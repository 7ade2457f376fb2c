/** Istio's certificate service: authenticates the caller, then signs for that caller and nobody else. */
import type { AuthenticateCaller, AuthenticatedCaller } from "../ca/caller.ts";
import type { CertificateAuthority, IssuedCertificate } from "../ca/certificate-authority.ts";
import {
  grantedLifetimeMs,
  type LifetimeRules,
  LifetimeTooLongError,
} from "../ca/issuing-rules.ts";
import {
  type CertificateRequest,
  InvalidCertificateRequestError,
  parseCertificateRequest,
} from "../identity/certificate-request.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import {
  type IstioCertificateRequest,
  IstioCertificateService,
} from "../wire/gen/istio/v1/auth/ca_pb.ts";
import { type Caller, type GrpcService, grpcService, unary } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";

const IMPERSONATED_IDENTITY = "ImpersonatedIdentity";
const SPIFFE_SCHEME = /^spiffe:/i;

export interface CertificateServiceOptions {
  readonly authority: CertificateAuthority;
  readonly authenticate: AuthenticateCaller;
  /** Absent: as Istio has them by default. */
  readonly lifetimes?: LifetimeRules | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export function certificateService(options: CertificateServiceOptions): GrpcService {
  const answer = async (request: IstioCertificateRequest, caller: Caller) => {
    const authenticated = await authenticate(caller, options);
    const { log, lifetimes } = options;
    const checked = checkRequest(request, { authenticated, caller, log, lifetimes });
    const issued = issue(checked, { authenticated, caller, ...options });
    options.log.info("certificate signed", {
      id: authenticated.id,
      authenticatedBy: authenticated.by,
      serial: issued.serialNumber,
      notAfter: issued.notAfter.toISOString(),
      remote: caller.remoteAddress,
    });
    return { certChain: [...issued.chainPem, options.authority.rootsPem.join("")] };
  };
  return grpcService(IstioCertificateService, { createCertificate: unary(answer, options.log) });
}

interface Conversation {
  readonly authenticated: AuthenticatedCaller;
  readonly caller: Caller;
  readonly log: Log;
  readonly lifetimes?: LifetimeRules | undefined;
}

interface CheckedRequest {
  readonly csr: CertificateRequest;
  readonly lifetimeMs: number;
}

async function authenticate(
  caller: Caller,
  { authenticate, log }: CertificateServiceOptions,
): Promise<AuthenticatedCaller> {
  try {
    return await authenticate(caller);
  } catch (error) {
    log.warn("certificate refused: caller not authenticated", {
      remote: caller.remoteAddress,
      reason: describeError(error),
    });
    throw new GrpcStatusError("UNAUTHENTICATED", "request authenticate failure");
  }
}

/** Error mapping after CA-11: what the caller got wrong is INVALID_ARGUMENT. */
function checkRequest(
  request: IstioCertificateRequest,
  conversation: Conversation,
): CheckedRequest {
  if (request.metadata?.[IMPERSONATED_IDENTITY] !== undefined)
    throw refusal("UNAUTHENTICATED", {
      ...conversation,
      reason: "impersonation is not allowed",
      details: "request impersonation authentication failure",
    });
  try {
    const csr = parseCertificateRequest(request.csr);
    const lifetimeMs = grantedLifetimeMs(request.validityDuration, conversation.lifetimes);
    refuseOtherIdentities(csr, conversation);
    return { csr, lifetimeMs };
  } catch (error) {
    if (error instanceof InvalidCertificateRequestError || error instanceof LifetimeTooLongError) {
      const reason = describeError(error);
      throw refusal("INVALID_ARGUMENT", { ...conversation, reason, details: reason });
    }
    throw error;
  }
}

/** Stricter than CA-8, which ignores such a name: who asks for another's identity is mistaken or hostile. */
function refuseOtherIdentities(csr: CertificateRequest, conversation: Conversation): void {
  const { id } = conversation.authenticated;
  const other = csr.requestedNames.find(
    ({ kind, value }) => kind === "uri" && SPIFFE_SCHEME.test(value) && value !== id,
  );
  if (other === undefined) return;
  throw refusal("PERMISSION_DENIED", {
    ...conversation,
    reason: `the request names another identity, ${JSON.stringify(other.value)}`,
    details: "the certificate request names another identity",
  });
}

function issue(
  { csr, lifetimeMs }: CheckedRequest,
  options: Conversation & CertificateServiceOptions,
): IssuedCertificate {
  try {
    return options.authority.issue({
      publicKey: csr.publicKey,
      id: options.authenticated.id,
      lifetimeMs,
      now: options.clock.now(),
    });
  } catch (error) {
    const reason = describeError(error);
    throw refusal("INTERNAL", { ...options, reason, details: "the authority cannot sign now" });
  }
}

function refusal(
  status: "UNAUTHENTICATED" | "PERMISSION_DENIED" | "INVALID_ARGUMENT" | "INTERNAL",
  context: Conversation & { readonly reason: string; readonly details: string },
): GrpcStatusError {
  context.log.warn("certificate refused", {
    caller: context.authenticated.id,
    remote: context.caller.remoteAddress,
    reason: context.reason,
  });
  return new GrpcStatusError(status, context.details);
}
