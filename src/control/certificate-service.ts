/** Istio's certificate service: authenticates the caller, then signs for that caller and nobody else. */
import type { AuthenticateCaller, AuthenticatedCaller } from "../ca/caller.ts";
import type { CertificateAuthority, IssuedCertificate } from "../ca/certificate-authority.ts";
import { type AuthorizeImpersonation, ImpersonationRefusedError } from "../ca/impersonation.ts";
import type { IssueLog } from "../ca/issue-log.ts";
import {
  grantedLifetimeMs,
  type LifetimeRules,
  LifetimeTooLongError,
} from "../ca/issuing-rules.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import {
  type CertificateRequest,
  InvalidCertificateRequestError,
  parseCertificateRequestOffLoop,
} from "../identity/certificate-request.ts";
import { publicKeySha256 } from "../identity/public-key.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError, type HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { CertificateMetrics, SigningFailure } from "../telemetry/certificate-metrics.ts";
import {
  type IstioCertificateRequest,
  IstioCertificateService,
} from "../wire/gen/istio/v1/auth/ca_pb.ts";
import { type Caller, type GrpcService, grpcService, unary } from "../wire/grpc-service.ts";
import { Refusal, RefusalTeller } from "./certificate-refusal.ts";
import { IssuingAllowance } from "./issuing-allowance.ts";

const IMPERSONATED_IDENTITY = "ImpersonatedIdentity";
const SPIFFE_SCHEME = /^spiffe:/i;
const MAX_LOGGED_CLUSTER_CHARACTERS = 100;

export interface CertificateServiceOptions {
  /** Who signs now. */
  readonly issuer: Watched<CertificateAuthority>;
  /** Whose roots stand at the end of each answer (CA-2). */
  readonly trust: Watched<AuthorityTrust>;
  readonly authenticate: AuthenticateCaller;
  /** Absent: nobody may ask for another's identity (CA-9). */
  readonly authorizeImpersonation?: AuthorizeImpersonation | undefined;
  readonly issueLog: IssueLog;
  readonly metrics: CertificateMetrics;
  /** What the mesh calls itself: who asks under another name is told of in the log (CA-3); absent: nobody is. */
  readonly cluster?: string | undefined;
  /** Absent: as Istio has them by default. */
  readonly lifetimes?: LifetimeRules | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export function certificateService(options: CertificateServiceOptions): GrpcService {
  const { log, metrics } = options;
  const allowance = new IssuingAllowance(options);
  const teller = new RefusalTeller(options);
  const answer = async (request: IstioCertificateRequest, caller: Caller) => {
    metrics.recordRequest();
    try {
      const certChain = await serve(request, { ...options, allowance, caller });
      metrics.recordIssued();
      return { certChain };
    } catch (error) {
      throw error instanceof Refusal ? teller.tell(error, caller) : error;
    }
  };
  return grpcService(IstioCertificateService, { createCertificate: unary(answer, log) });
}

type Conversation = CertificateServiceOptions & {
  readonly allowance: IssuingAllowance;
  readonly caller: Caller;
};

/** Who is certified, and at whose request. */
interface Applicant {
  readonly authenticated: AuthenticatedCaller;
  readonly id: SpiffeId;
}

async function serve(
  request: IstioCertificateRequest,
  conversation: Conversation,
): Promise<string[]> {
  const authenticated = await authenticate(conversation);
  const id = identityOf(request, { authenticated, ...conversation });
  const applicant: Applicant = { authenticated, id };
  takeAllowance(applicant, conversation);
  tellOtherCluster(authenticated, conversation);
  const lifetimeMs = lifetimeOf(request, { applicant, ...conversation });
  const csr = await parse(request.csr, applicant);
  refuseOtherIdentities(csr, applicant);
  const { chainPem } = await issue({ csr, lifetimeMs, applicant }, conversation);
  return [...chainPem, conversation.trust.current.rootsPem.join("")];
}

async function authenticate({ authenticate, caller }: Conversation): Promise<AuthenticatedCaller> {
  try {
    return await authenticate(caller);
  } catch (cause) {
    throw new Refusal("UNAUTHENTICATED", { details: "request authenticate failure", cause });
  }
}

/** CA-3: who it is was proved; where it takes itself to be is its own affair. */
function tellOtherCluster(
  { id }: AuthenticatedCaller,
  { cluster, caller, log }: Conversation,
): void {
  const [named] = caller.headers("clusterid");
  if (cluster === undefined || named === undefined || named === cluster) return;
  log.warn("the caller takes itself to be in another cluster", {
    caller: id,
    remote: caller.remoteAddress,
    named: named.slice(0, MAX_LOGGED_CLUSTER_CHARACTERS),
    cluster,
  });
}

/** The caller's own, or another's that it may ask for (CA-9). */
function identityOf(
  request: IstioCertificateRequest,
  options: Conversation & { readonly authenticated: AuthenticatedCaller },
): SpiffeId {
  const { authenticated, authorizeImpersonation: authorize } = options;
  const requested = request.metadata?.[IMPERSONATED_IDENTITY];
  if (requested === undefined || requested === "") return authenticated.id;
  try {
    if (authorize === undefined)
      throw new ImpersonationRefusedError("impersonation is not allowed to anybody");
    return authorize(authenticated, typeof requested === "string" ? requested : "");
  } catch (cause) {
    const details = "request impersonation authentication failure";
    throw new Refusal("UNAUTHENTICATED", { details, cause, caller: authenticated.id });
  }
}

/** Before anything is read or signed: that is the work that is shared. */
function takeAllowance({ authenticated, id }: Applicant, { allowance }: Conversation): void {
  const problem = allowance.take({ identity: id, pod: authenticated.pod });
  if (problem === undefined) return;
  const details = "too many certificates were asked for";
  throw new Refusal("RESOURCE_EXHAUSTED", { details, cause: problem, caller: authenticated.id });
}

/** Error mapping after CA-11: what the caller got wrong is INVALID_ARGUMENT. */
function lifetimeOf(
  request: IstioCertificateRequest,
  { applicant, lifetimes }: Conversation & { readonly applicant: Applicant },
): number {
  try {
    return grantedLifetimeMs(request.validityDuration, lifetimes);
  } catch (cause) {
    if (!(cause instanceof LifetimeTooLongError)) throw cause;
    throw invalidArgument("TTL_ERROR", { cause, applicant });
  }
}

async function parse(pem: string, applicant: Applicant): Promise<CertificateRequest> {
  try {
    return await parseCertificateRequestOffLoop(pem);
  } catch (cause) {
    if (!(cause instanceof InvalidCertificateRequestError)) throw cause;
    throw invalidArgument("CSR_ERROR", { cause, applicant });
  }
}

function invalidArgument(
  failure: SigningFailure,
  { cause, applicant }: { readonly cause: HauberkError; readonly applicant: Applicant },
): Refusal {
  const details = describeError(cause);
  return new Refusal("INVALID_ARGUMENT", {
    details,
    cause,
    caller: applicant.authenticated.id,
    failure,
  });
}

/** Stricter than CA-8, which ignores such a name: who asks for another's identity is mistaken or hostile. */
function refuseOtherIdentities(csr: CertificateRequest, { authenticated, id }: Applicant): void {
  const other = csr.requestedNames.find(
    ({ kind, value }) => kind === "uri" && SPIFFE_SCHEME.test(value) && value !== id,
  );
  if (other === undefined) return;
  throw new Refusal("PERMISSION_DENIED", {
    details: "the certificate request names another identity",
    cause: `the request names another identity, ${JSON.stringify(other.value)}`,
    caller: authenticated.id,
  });
}

/** Signs, and writes down what was signed, before anybody gets it. */
async function issue(
  request: {
    readonly csr: CertificateRequest;
    readonly lifetimeMs: number;
    readonly applicant: Applicant;
  },
  conversation: Conversation,
): Promise<IssuedCertificate> {
  const { csr, lifetimeMs, applicant } = request;
  const issuer = conversation.issuer.current;
  try {
    const issued = await issuer.issueOffLoop({
      publicKey: csr.publicKey,
      id: applicant.id,
      lifetimeMs,
      now: conversation.clock.now(),
      commonName: csr.hasCommonName ? "identity" : "none",
    });
    await record(issued, { ...conversation, ...request, issuer: issuer.id });
    return issued;
  } catch (cause) {
    const details = "the authority cannot sign now";
    const caller = applicant.authenticated.id;
    throw new Refusal("INTERNAL", { details, cause, caller, failure: "CERT_GEN_ERROR" });
  }
}

async function record(
  issued: IssuedCertificate,
  options: Omit<Conversation, "issuer"> & {
    readonly csr: CertificateRequest;
    readonly applicant: Applicant;
    readonly issuer: string;
  },
): Promise<void> {
  const { authenticated, id } = options.applicant;
  const impersonatedBy = id === authenticated.id ? undefined : authenticated.id;
  const remote = options.caller.remoteAddress;
  await options.issueLog.append({
    time: options.clock.now(),
    serial: issued.serialNumber,
    identity: id,
    authenticatedBy: authenticated.by,
    pod: authenticated.pod,
    impersonatedBy,
    remote,
    notAfter: issued.notAfter,
    issuer: options.issuer,
    publicKeySha256: publicKeySha256(options.csr.publicKey),
  });
  options.log.info("certificate signed", {
    id,
    authenticatedBy: authenticated.by,
    impersonatedBy,
    serial: issued.serialNumber,
    notAfter: issued.notAfter.toISOString(),
    remote,
  });
}
