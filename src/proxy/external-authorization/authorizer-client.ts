/** One external authorizer of a view: asked by the same way as the application's own calls go (EA-1, EA-3). */
import type {
  AppliedAuthorizer,
  AppliedGrpcAuthorizer,
  AppliedHttpAuthorizer,
  UsableAuthorizer,
} from "../../policy/applied-authorizers.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { grpcUnary } from "../own-calls/grpc-unary.ts";
import { OwnCallError, type OwnCallProblem, type ServicePlace } from "../own-calls/own-call.ts";
import type { ServiceCaller } from "../own-calls/service-caller.ts";
import { type AuthorizerVerdict, failed, failedHere } from "./authorizer-verdict.ts";
import { connectionCheck, requestCheck } from "./check-request.ts";
import { readCheckResponse } from "./check-response.ts";
import type { CheckedConnection, CheckedRequest } from "./checked-traffic.ts";
import { WORDLESS_DENIAL } from "./denial.ts";
import { HttpCheck, MAX_ANSWER_OCTETS } from "./http-check.ts";

const CHECK = "/envoy.service.auth.v3.Authorization/Check";

/** A question under way. */
export interface Inquiry {
  /** Of memory, which it holds until then. */
  readonly octets: number;
  /** Never rejects. */
  readonly verdict: Promise<AuthorizerVerdict>;
  /** Nobody waits for it any more. */
  cancel(): void;
}

export interface AuthorizerClient {
  readonly settings: UsableAuthorizer;
  askAboutRequest(request: CheckedRequest): Inquiry;
  /** Undefined: it knows nothing of connections (EA-19). */
  readonly askAboutConnection: ((connection: CheckedConnection) => Inquiry) | undefined;
}

/** @returns the problem of one that cannot be asked */
export function authorizerClient(
  authorizer: AppliedAuthorizer,
  services: ServiceCaller,
): AuthorizerClient | string {
  if (authorizer.kind === "unusable") return authorizer.problem;
  return authorizer.kind === "grpc"
    ? grpcClient(authorizer, services)
    : httpClient(authorizer, services);
}

function grpcClient(settings: AppliedGrpcAuthorizer, services: ServiceCaller): AuthorizerClient {
  const place = placeOf(settings);
  const packing = settings.requestBody?.packAsBytes === true ? "bytes" : "text";
  const ask = (message: Buffer): Inquiry => {
    const { answer, cancel } = grpcUnary(services, place, {
      path: CHECK,
      message,
      timeoutMs: settings.timeoutMs,
      maxMessageOctets: MAX_ANSWER_OCTETS,
      repeat: "harmless",
    });
    const verdict = answer.then(readCheckResponse).catch(problemOf);
    return { octets: message.length, verdict, cancel };
  };
  return {
    settings,
    askAboutRequest: (request) => ask(requestCheck(request, packing)),
    askAboutConnection: (connection) => ask(connectionCheck(connection)),
  };
}

function httpClient(settings: AppliedHttpAuthorizer, services: ServiceCaller): AuthorizerClient {
  const place = placeOf(settings);
  const check = new HttpCheck(settings);
  return {
    settings,
    askAboutRequest(request) {
      try {
        const { answer, cancel } = services.begin(place, check.request(request));
        const verdict = answer.then((said) => check.verdict(said)).catch(brokenVerdict);
        return { octets: request.body?.octets ?? 0, verdict, cancel };
      } catch (error) {
        return { octets: 0, verdict: Promise.resolve(problemOf(error)), cancel: () => {} };
      }
    },
    askAboutConnection: undefined,
  };
}

function placeOf({ host, port, namespace }: UsableAuthorizer): ServicePlace {
  return { host, port, namespace };
}

/** Limits of ours: whoever brings one about must not let himself in by it, while the authorizer is well. */
const OWN_LIMITS: ReadonlySet<OwnCallProblem> = new Set([
  "unsendable",
  "overflow",
  "answer-too-large",
]);

/** EA-17: the status alone denies, whatever becomes of the rest of the answer. */
function brokenVerdict(error: unknown): AuthorizerVerdict {
  const status = error instanceof OwnCallError ? error.status : undefined;
  const denies = status !== undefined && status !== 200 && status < 500;
  return denies ? WORDLESS_DENIAL : problemOf(error);
}

function problemOf(error: unknown): AuthorizerVerdict {
  const problem = describeError(error);
  if (error instanceof OwnCallError)
    return OWN_LIMITS.has(error.problem) ? failedHere(problem) : failed(problem);
  return failedHere(error instanceof RangeError ? problem : `defect: ${problem}`);
}
