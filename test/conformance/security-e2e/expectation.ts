/** What a case expects, field by field, beside what came. */
import type { IncomingHttpHeaders } from "node:http";
import type { Reason } from "../../../src/policy/decision.ts";
import { type CaseOutcome, compare } from "../suite-runner.ts";
import type { Answer } from "./answer-of-case.ts";
import type { CarriedRequest } from "./carried-requests.ts";
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
  grpcCode: (_, answer) => grpcCode(answer),
  connection: (_, answer) => (hasCome(answer) ? "open" : "closed (client sees EOF)"),
  mtls: (_, answer) =>
    answer.came === "carried"
      ? answer.mtls
      : answer.came === "through" && answer.last.transport.kind === "mutual-tls",
  upstreamPath: (_, answer) =>
    answer.came === "carried"
      ? answer.heardPath
      : answer.came === "through" && answer.last.request?.path,
  check: (_, answer, expected) =>
    CHECKS[String(expected)]?.(answer) ? expected : describe(answer),
  checkAnyOf: ({ test }, answer, expected) =>
    Array.isArray(expected) && expected.includes(surface(test, answer))
      ? expected
      : describe(answer),
  bodyContains: (_, answer, expected) => {
    if (answer.came === "carried" && answer.body.includes(String(expected))) return expected;
    if (isForbidden(answer)) return "RBAC: access denied";
    return throughGateway(answer) && "handled-by-egress-gateway";
  },
  clientCertSubject: (_, answer) => answer.came === "carried" && answer.clientSubject,
  serverCertificatePublicKeyAlgorithm: (_, answer) => answer.came === "through" && answer.serverKey,
  upstreamRequestHeaders: ({ fixtures }, answer, expected) =>
    answer.came === "carried" &&
    hears(answer, { expected: section({ expected }, "expected"), fixtures })
      ? expected
      : describe(answer),
  downstreamResponseHeaders: ({ fixtures }, answer, expected) =>
    answer.came === "carried" &&
    says(answer.headers ?? {}, { expected: section({ expected }, "expected"), fixtures })
      ? expected
      : describe(answer),
  errorContains: (_, answer, expected) => errorOf(answer, String(expected)),
  errorContainsAnyOf: (_, answer, expected) =>
    Array.isArray(expected) && expected.some((one) => errorOf(answer, String(one)) === one)
      ? expected
      : describe(answer),
};

/** Told to whoever reads a case. */
const REMARKS = ["mtlsObservable", "orHttpStatus"];

/** Upstream's names for what a refused client may see. */
const CHECKS: Readonly<Record<string, (answer: Answer) => boolean>> = {
  "any error or status other than 200": ({ came }) => came !== "through",
  "error or HTTP 403": (answer) =>
    ["refused", "carried"].includes(answer.came) && [0, 403, 503].includes(httpStatus(answer)),
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
    case "no connection":
      return 0;
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
  if (answer.came !== "carried") return answer.came === "through";
  return answer.status === 200 && (answer.grpc?.code ?? 0) === 0;
}

/** @returns `expected` where the client hears that, else what it hears */
function errorOf(answer: Answer, expected: string): string | undefined {
  switch (answer.came) {
    case "no connection":
      return answer.error.includes(expected) ? expected : answer.error;
    case "carried":
      return saysError(answer, expected);
    case "refused":
      return TLS_ALERTS[answer.reason.because];
    default:
      return undefined;
  }
}

/** As Go's client of gRPC prints an error. */
function saysError({ grpc }: CarriedRequest, expected: string): string {
  const error = grpc === undefined ? "" : `rpc error: code = ${grpc.code} desc = ${grpc.message}`;
  return error.includes(expected) ? expected : error;
}

const GRPC_CODES: ReadonlyMap<number, string> = new Map([
  [0, "OK"],
  [7, "PermissionDenied"],
  [16, "Unauthenticated"],
]);

function grpcCode(answer: Answer): string | undefined {
  if (answer.came === "carried" && answer.grpc !== undefined)
    return GRPC_CODES.get(answer.grpc.code);
  return isForbidden(answer) ? "PermissionDenied" : "OK";
}

function hears({ heard = {} }: CarriedRequest, asked: Parameters<typeof says>[1]): boolean {
  return says(heard, asked);
}

/** `equals`, `present`, `absent`, and `contains` or `notContains` of a value's part; values may name fixtures. */
function says(
  headers: IncomingHttpHeaders,
  {
    expected,
    fixtures,
  }: { readonly expected: Readonly<Record<string, unknown>>; readonly fixtures: TokenFixtures },
): boolean {
  const { equals = {}, absent = [], contains = {}, notContains = {}, ...others } = expected;
  const { present = [], ...unknown } = others;
  if (Object.keys(unknown).length > 0 || !Array.isArray(absent)) return false;
  if (!Array.isArray(present)) return false;
  const fieldOf = (name: string): string | undefined => {
    const value = headers[name.toLowerCase()];
    return value === undefined ? undefined : String(value);
  };
  const asSaid = Object.entries(section({ equals }, "equals")).every(
    ([name, value]) => fieldOf(name) === withTokens(String(value), fixtures),
  );
  return (
    asSaid &&
    present.every((name) => fieldOf(String(name)) !== undefined) &&
    absent.every((name) => fieldOf(String(name)) === undefined) &&
    partsOf({ contains }, "contains").every(([name, part]) => fieldOf(name)?.includes(part)) &&
    partsOf({ notContains }, "notContains").every(
      ([name, part]) => fieldOf(name)?.includes(part) !== true,
    )
  );
}

function partsOf(
  holder: Readonly<Record<string, unknown>>,
  field: string,
): readonly (readonly [name: string, part: string])[] {
  return Object.entries(section(holder, field)).flatMap(([name, parts]) =>
    (Array.isArray(parts) ? parts : [parts]).map((part) => [name, String(part)] as const),
  );
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
    case "no connection":
      return `no connection: ${answer.error}`;
    case "carried":
      return `carried: ${answer.status} ${answer.body}, heard ${JSON.stringify(answer.heard)}`;
  }
}
