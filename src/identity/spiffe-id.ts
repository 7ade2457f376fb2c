/** SPIFFE identities of workloads. Standard: https://spiffe.io/docs/latest/spiffe-specs/spiffe-id */
import { HauberkError } from "../runtime/hauberk-error.ts";

declare const parsed: unique symbol;
/** A SPIFFE ID that has been checked: only this file makes one. */
export type SpiffeId = string & { readonly [parsed]: "SpiffeId" };

/** The parts of an identity as Kubernetes and Istio give it: `spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT`. */
export interface WorkloadIdentityParts {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

const SCHEME = "spiffe://";
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[A-Za-z0-9._-]+$/;
/** SPIFFE-ID section 2.3. */
const MAX_BYTES = 2048;
const MAX_TRUST_DOMAIN_BYTES = 255;
const MAX_QUOTED_CHARACTERS = 256;
const EMPTY_SEGMENT = "its path has an empty segment, which is not allowed";

/** A text that is not a SPIFFE ID. */
export class InvalidSpiffeIdError extends HauberkError {
  readonly code = "HAUBERK_INVALID_SPIFFE_ID";
  readonly value: string;
  constructor(value: string, problem: string) {
    super(
      `${JSON.stringify(value.slice(0, MAX_QUOTED_CHARACTERS))} is not a SPIFFE ID: ${problem}`,
    );
    this.value = value;
  }
}

/**
 * Reads any SPIFFE ID, with or without a path.
 *
 * @throws InvalidSpiffeIdError
 */
export function parseSpiffeId(text: string): SpiffeId {
  const problem = problemOf(text);
  if (problem !== undefined) throw new InvalidSpiffeIdError(text, problem);
  return text as SpiffeId;
}

/**
 * The identity of a service account. An `@` in the trust domain becomes a `.` (CA-17).
 *
 * @throws InvalidSpiffeIdError if a part is empty or has a character that an identity cannot hold
 */
export function spiffeId({
  trustDomain,
  namespace,
  serviceAccount,
}: WorkloadIdentityParts): SpiffeId {
  const path = spiffePath(["ns", namespace, "sa", serviceAccount]);
  return composeSpiffeId(trustDomain.replaceAll("@", "."), path);
}

/**
 * Any identity, of its two parts.
 *
 * @param path empty, or beginning with a slash: without one it would go on the trust domain
 * @throws InvalidSpiffeIdError
 */
export function composeSpiffeId(trustDomain: string, path: string): SpiffeId {
  const text = `${SCHEME}${trustDomain}${path}`;
  if (trustDomain.includes("/"))
    throw new InvalidSpiffeIdError(text, "its trust domain has a slash");
  if (path !== "" && !path.startsWith("/"))
    throw new InvalidSpiffeIdError(text, "its path does not start with a slash");
  return parseSpiffeId(text);
}

/**
 * The path of these segments; empty when there are none.
 *
 * @throws InvalidSpiffeIdError if a segment is empty or has a character that an identity cannot hold, such as a slash
 */
export function spiffePath(segments: readonly string[]): string {
  const path = segments.map((segment) => `/${segment}`).join("");
  const problem = segments.map(segmentProblem).find((each) => each !== undefined);
  if (problem !== undefined) throw new InvalidSpiffeIdError(path, problem);
  return path;
}

/**
 * The parts of a workload's identity: exactly five segments after the scheme (CA-17).
 *
 * @throws InvalidSpiffeIdError if the identity has another form
 */
export function parseWorkloadIdentity(id: SpiffeId): WorkloadIdentityParts {
  const [trustDomain, ns, namespace, sa, serviceAccount, ...rest] = segmentsOf(id);
  if (
    trustDomain === undefined ||
    ns !== "ns" ||
    namespace === undefined ||
    sa !== "sa" ||
    serviceAccount === undefined ||
    rest.length > 0
  ) {
    throw new InvalidSpiffeIdError(id, "expected spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/NAME");
  }
  return { trustDomain, namespace, serviceAccount };
}

export function trustDomainOf(id: SpiffeId): string {
  return segmentsOf(id)[0] ?? "";
}

function segmentsOf(id: string): string[] {
  return id.slice(SCHEME.length).split("/");
}

function problemOf(text: string): string | undefined {
  if (text === "") return "it is empty";
  if (!text.startsWith(SCHEME)) return `it does not start with ${SCHEME}`;
  if (Buffer.byteLength(text) > MAX_BYTES) return `it is longer than ${MAX_BYTES} bytes`;
  const [trustDomain = "", ...path] = segmentsOf(text);
  if (trustDomain === "") return "its trust domain is missing";
  if (!TRUST_DOMAIN.test(trustDomain))
    return "its trust domain has a character that is not allowed: only a-z, 0-9, '.', '-' and '_' are";
  if (trustDomain.length > MAX_TRUST_DOMAIN_BYTES)
    return `its trust domain is longer than ${MAX_TRUST_DOMAIN_BYTES} bytes`;
  return pathProblem(path);
}

/** The first problem of a path's segments (SPIFFE-ID section 2.2). */
function pathProblem(segments: readonly string[]): string | undefined {
  const problem = segments.map(segmentProblem).find((each) => each !== undefined);
  const isTrailing = segments.indexOf("") === segments.length - 1;
  return problem === EMPTY_SEGMENT && isTrailing
    ? "its path has a trailing slash, which is not allowed"
    : problem;
}

function segmentProblem(segment: string): string | undefined {
  if (segment === "") return EMPTY_SEGMENT;
  if (segment === "." || segment === "..") return "its path has a dot segment";
  if (!SEGMENT.test(segment))
    return "its path has a character that is not allowed: only letters, digits, '.', '-' and '_' are";
  return undefined;
}
