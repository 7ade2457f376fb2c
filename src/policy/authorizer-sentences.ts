/** How an external authorizer is asked, and what happens while it cannot be, in one line. */
import type { AppliedAuthorizer, UsableAuthorizer } from "./applied-authorizers.ts";
import type { Decision, Judged } from "./decision.ts";

/** `opa: asked over gRPC at policy/opa.policy.svc.cluster.local:9191, for at most 500 ms; …` */
export function authorizerInWords(authorizer: AppliedAuthorizer): string {
  const { name } = authorizer;
  if (authorizer.kind === "unusable")
    return `${name}: cannot be asked, so that what it guards is refused: ${authorizer.problem}`;
  const { namespace, host, port, timeoutMs, kind } = authorizer;
  const how = { grpc: "gRPC", http: "HTTP" }[kind];
  return [
    `${name}: asked over ${how} at ${host}:${port} (namespace ${namespace}), for at most ${timeInWords(timeoutMs)}`,
    ...bodyInWords(authorizer),
    withoutAnswer(authorizer),
  ].join("; ");
}

/** Those that a decision leaves the verdict to, or the trial does; in their order. */
export function authorizersAsked(
  decision: Decision,
  authorizers: readonly AppliedAuthorizer[] = [],
): readonly AppliedAuthorizer[] {
  const { dryRun } = decision;
  const names = new Set([decision, ...(dryRun ? [dryRun] : [])].flatMap(providersOf));
  return authorizers.filter(({ name }) => names.has(name));
}

function providersOf({ reason }: Judged): readonly string[] {
  if (reason.because !== "matched-custom") return [];
  return reason.delegations.map(({ provider }) => provider);
}

function bodyInWords({ requestBody }: UsableAuthorizer): readonly string[] {
  if (requestBody === undefined) return [];
  const { maxBytes, allowPartial } = requestBody;
  return [
    allowPartial
      ? `the first ${maxBytes} bytes of a body are sent`
      : `a body is sent, and one of more than ${maxBytes} bytes is refused`,
  ];
}

/** EA-4, EA-5 */
function withoutAnswer({ failOpen, statusOnError }: UsableAuthorizer): string {
  if (failOpen) return "while it gives no answer, what it guards passes unasked (failOpen)";
  return `while it gives no answer, what it guards is refused with ${statusOnError}`;
}

const MINUTE_MS = 60_000;

function timeInWords(ms: number): string {
  if (ms % MINUTE_MS === 0) return `${ms / MINUTE_MS} min`;
  return ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`;
}
