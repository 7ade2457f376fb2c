/** What a case expects, field by field, beside what came. */
import type { Reason } from "../../../src/policy/decision.ts";
import { type CaseOutcome, compare } from "../suite-runner.ts";
import type { Answer } from "./answer-of-case.ts";
import type { CarriedToken } from "./carried-tokens.ts";
import type { E2eCase } from "./e2e-case.ts";
import { section } from "./rendered-policies.ts";
import { type TokenFixtures, withTokens } from "./token-fixtures.ts";

type Refused = Extract<Answer, { came: "refused" }>;

/** For each expected field: what it would have to say for this answer. "beside the point": not of the answer. */
type Reading = (read: Read, answer: Answer, expected: unknown) => unknown;

interface Read {
  readonly test: E2eCase;
  readonly fixtures: TokenFixtures;
}

const READINGS: Readonly<Record<string, Reading>> = {
  allowed: (_, answer) => hasCome(answer),
  success: (_, answer) => hasCome(answer),
  httpStatus: (_, answer) => httpStatus(answer),
  grpcCode: (_, answer) => (isForbidden(answer) ? "PermissionDenied" : "OK"),
  connection: (_, answer) => (hasCome(answer) ? "open" : "closed (client sees EOF)"),
  mtls: (_, answer) => answer.came === "through" && answer.last.transport.kind === "mutual-tls",
  upstreamPath: (_, answer) => (answer.came === "through" ? answer.last.request?.path : undefined),
  check: (_, answer, expected) =>
    CHECKS[String(expected)]?.(answer) ? expected : describe(answer),
  checkAnyOf: ({ test }, answer, expected) =>
    Array.isArray(expected) && expected.includes(surface(test, answer))
      ? expected
      : describe(answer),
  bodyContains: (_, answer) =>
    isForbidden(answer)
      ? "RBAC: access denied"
      : throughGateway(answer) && "handled-by-egress-gateway",
  serverCertificatePublicKeyAlgorithm: (_, answer) => answer.came === "through" && answer.serverKey,
  upstreamRequestHeaders: ({ fixtures }, answer, expected) =>
    answer.came === "carried" &&
    hears(answer, { expected: section({ expected }, "expected"), fixtures })
      ? expected
      : describe(answer),
  errorContains: (_, answer) => answer.came === "refused" && TLS_ALERTS[answer.reason.because],
};

/** Told to whoever reads a case. */
const REMARKS = ["mtlsObservable"];

/** Upstream's names for what a refused client may see. */
const CHECKS: Readonly<Record<string, (answer: Answer) => boolean>> = {
  "any error or status other than 200": ({ came }) => came !== "through",
  "error or HTTP 403": (answer) =>
    answer.came === "refused" && [0, 403, 503].includes(httpStatus(answer)),
};

/** The alert that a server sends a client whose certificate it does not take. */
const TLS_ALERTS: Partial<Record<Reason["because"], string>> = {
  "peer-not-verified": "tls: unknown certificate",
};

/** Before a policy is asked, so that there is nobody to answer 403. */
const UNREACHED: readonly Reason["because"][] = [
  "plaintext-refused",
  "tls-refused",
  "callee-not-verified",
  "peer-not-verified",
  "network-policy",
];

/** Such as `expected.downstreamResponseHeaders`. */
export function unknownExpectations({ expected }: E2eCase): readonly string[] {
  return Object.keys(expected)
    .filter((field) => !Object.hasOwn(READINGS, field) && !REMARKS.includes(field))
    .map((field) => `expected.${field}`);
}

export function compareAnswer(test: E2eCase, answer: Answer, fixtures: TokenFixtures): CaseOutcome {
  const fields = Object.entries(test.expected).filter(([field]) => !REMARKS.includes(field));
  const got = fields.map(
    ([field, expected]) =>
      [field, READINGS[field]?.({ test, fixtures }, answer, expected)] as const,
  );
  const outcome = compare({ expected: inWords(fields), got: inWords(got) });
  if (outcome.outcome !== "failed") return outcome;
  return { ...outcome, got: `${outcome.got} (${describe(answer)})` };
}

function inWords(fields: readonly (readonly [field: string, value: unknown])[]): string {
  return fields.map(([field, value]) => `${field} ${JSON.stringify(value)}`).join(", ");
}

/** 0 where there is no answer: the connection fails, and no sidecar of the caller's makes an answer of that. */
function httpStatus(answer: Answer): number {
  switch (answer.came) {
    case "through":
      return 200;
    case "bad request":
      return 400;
    case "carried":
      return answer.status;
    case "refused":
      return refusalStatus(answer);
  }
}

function refusalStatus({ judgement, reason }: Refused): number {
  if (judgement.judgedAs === "tcp") return 0;
  if (!UNREACHED.includes(reason.because)) return 403;
  return judgement.transport.kind === "mutual-tls" ? 503 : 0;
}

/** Refused by a policy, on a port that carries HTTP (AP-130). */
function isForbidden(answer: Answer): boolean {
  return httpStatus(answer) === 403;
}

function hasCome(answer: Answer): boolean {
  return answer.came === "through" || (answer.came === "carried" && answer.status === 200);
}

/** `equals` and `absent`, of what the application heard; values may name fixtures. */
function hears(
  { heard = {} }: CarriedToken,
  {
    expected,
    fixtures,
  }: { readonly expected: Readonly<Record<string, unknown>>; readonly fixtures: TokenFixtures },
): boolean {
  const { equals = {}, absent = [], ...others } = expected;
  if (Object.keys(others).length > 0 || !Array.isArray(absent)) return false;
  const asSaid = Object.entries(section({ equals }, "equals")).every(
    ([name, value]) => heard[name.toLowerCase()] === withTokens(String(value), fixtures),
  );
  return asSaid && absent.every((name) => heard[String(name).toLowerCase()] === undefined);
}

function throughGateway(answer: Answer): boolean {
  return hasCome(answer) && "hops" in answer && answer.hops > 1;
}

/** In the words of `checkAnyOf`. */
function surface({ to }: E2eCase, answer: Answer): string {
  if (answer.came === "through") return "through";
  const status = httpStatus(answer);
  if (status === 0) return "connection EOF";
  return status === 403 && to.port.protocol === "GRPC" ? "grpc PermissionDenied" : `HTTP ${status}`;
}

function describe(answer: Answer): string {
  switch (answer.came) {
    case "through":
      return `through: ${answer.last.decision.reason.because}, ${answer.last.transport.kind}`;
    case "refused":
      return `refused: ${JSON.stringify(answer.reason)}, ${answer.judgement.transport.kind}, ${answer.judgement.judgedAs}`;
    case "bad request":
      return answer.came;
    case "carried":
      return `carried: ${answer.status} ${answer.body}, heard ${JSON.stringify(answer.heard)}`;
  }
}
