/**
 * Asks the external authorizers that CUSTOM policies name about one request: one after the other, until one does not let
 * it pass (AP-122, EA-26..EA-28). What an authorizer changes of the request, the next one sees.
 */
import type { UsableAuthorizer } from "../../policy/applied-authorizers.ts";
import type { AuthorizerAnswer, Delegation, Judged } from "../../policy/decision.ts";
import { noAuthorizer } from "../../policy/unusable-authorizers.ts";
import { denied, detailsOf } from "../denied-answer.ts";
import type { Answer, StepResult } from "../exchange.ts";
import type { InboundExchange } from "../inbound-steps.ts";
import type { Waiting } from "../waiting-steps.ts";
import { answerOf, denialAnswer, failureAnswer, refusalBy } from "./authorizer-answers.ts";
import type { AuthorizerClient } from "./authorizer-client.ts";
import { type AuthorizerVerdict, failed } from "./authorizer-verdict.ts";
import { beginningOf, type CheckedBody, type CheckedRequest } from "./checked-traffic.ts";
import type { Consent, Consents, ExternalAuthorization } from "./external-authorization.ts";
import { applyToRequest } from "./request-changes.ts";

/** What authorizers have said of one request. */
export interface Consulted {
  readonly answers: readonly AuthorizerAnswer[];
  readonly consents: Consents;
}

/** Whoever has to be asked is asked now, before any token is looked at (AP-2, AP-3). */
export function consultAuthorizers(exchange: InboundExchange): StepResult | Waiting {
  const { external } = exchange.terms.rules;
  if (external === undefined) return "continue";
  const delegations = delegationsOf(exchange);
  const [first] = delegations;
  if (first === undefined) return "continue";
  const refused = refuseUnusable(exchange, external, delegations);
  if (refused !== undefined) return refused;
  return { until: new Consultation(exchange, external).run(first) };
}

function delegationsOf(exchange: InboundExchange): readonly Delegation[] {
  const { authorization, rules } = exchange.terms;
  return authorization.delegations(rules.authorization, exchange);
}

/** AP-120: nobody else need be asked. */
function refuseUnusable(
  exchange: InboundExchange,
  external: ExternalAuthorization,
  delegations: readonly Delegation[],
): Answer | undefined {
  for (const delegation of delegations) {
    const client = external.client(delegation.provider);
    if (typeof client !== "string") continue;
    const refusal = noAuthorizer(delegation, client);
    exchange.decision = { ...refusal, ...askedOf(exchange) };
    return denied(detailsOf(refusal.reason));
  }
  return undefined;
}

/** For a decision about a request that authorizers were asked about. */
export function askedOf({ consulted }: Pick<InboundExchange, "consulted">): {
  readonly asked?: readonly AuthorizerAnswer[];
} {
  return consulted === undefined ? {} : { asked: consulted.answers };
}

/** As Envoy's, when a filter wants more of a body than it may hold. */
const TOO_LONG: Answer = {
  status: 413,
  body: "Payload Too Large",
  flags: "-",
  details: "request_payload_too_large",
};
/** Of a request that nobody waits for, or that turned out to be none; whoever holds it knows better. */
const NOBODY: Answer = {
  status: 400,
  body: "",
  flags: "DC",
  details: "downstream_remote_disconnect",
};

class Consultation {
  readonly #exchange: InboundExchange;
  readonly #external: ExternalAuthorization;
  readonly #answers: AuthorizerAnswer[] = [];
  readonly #consents: Map<string, Consent> = new Map();

  constructor(exchange: InboundExchange, external: ExternalAuthorization) {
    this.#exchange = exchange;
    this.#external = external;
    exchange.consulted = { answers: this.#answers, consents: this.#consents };
  }

  async run(first: Delegation): Promise<StepResult> {
    await undefined; // by then the request is held
    let next: Delegation | undefined = first;
    while (next !== undefined) {
      const result = await this.#ask(next);
      if (result !== "continue") return result;
      const left = this.#left(next.provider);
      const refused = refuseUnusable(this.#exchange, this.#external, left);
      if (refused !== undefined) return refused;
      [next] = left;
    }
    return "continue";
  }

  /** Providers are asked in the order of their names. */
  #left(last: string): readonly Delegation[] {
    return delegationsOf(this.#exchange).filter(({ provider }) => provider > last);
  }

  async #ask(delegation: Delegation): Promise<StepResult> {
    const client = this.#external.client(delegation.provider);
    if (typeof client === "string") throw new TypeError(client);
    const body = await this.#bodyFor(client.settings);
    if (body !== undefined && "status" in body) return body;
    const startedMs = performance.now();
    const verdict = await this.#verdict(client, body);
    const used = this.#use(verdict);
    const answer = answerOf(client.settings, used, Math.round(performance.now() - startedMs));
    this.#note(answer);
    const refusal =
      used === verdict ? refusalBy(delegation, answer) : unusableAnswer(delegation, used);
    if (refusal === undefined) {
      this.#consents.set(delegation.provider, {
        settings: client.settings,
        outcome: answer.outcome,
      });
      return "continue";
    }
    this.#exchange.decision = { ...refusal, asked: this.#answers };
    return used.outcome === "denied" ? denialAnswer(used) : failureAnswer(client.settings);
  }

  async #verdict(
    client: AuthorizerClient,
    body: CheckedBody | undefined,
  ): Promise<AuthorizerVerdict> {
    const { onHold } = this.#exchange;
    const inquiry = client.askAboutRequest(checkedRequest(this.#exchange, body));
    if (body !== undefined) onHold?.alsoTakes(inquiry.octets);
    onHold?.whenLeft(inquiry.cancel);
    const verdict = await inquiry.verdict;
    onHold?.whenLeft(undefined);
    onHold?.alsoTakes(0);
    return verdict;
  }

  /** What cannot be done as it was said must not be done in part: then nobody passes, not even where errors let pass. */
  #use(verdict: AuthorizerVerdict): AuthorizerVerdict {
    if (verdict.outcome !== "allowed") return verdict;
    try {
      applyToRequest(this.#exchange, verdict.changes);
      return verdict;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return failed(`the request cannot go on as it says: ${error.message}`);
    }
  }

  #note(answer: AuthorizerAnswer): void {
    this.#answers.push(answer);
    this.#external.answered(answer);
  }

  /** EA-7, EA-8 */
  async #bodyFor({ requestBody }: UsableAuthorizer): Promise<CheckedBody | Answer | undefined> {
    const { onHold, upgrade, contentLength } = this.#exchange;
    if (requestBody === undefined || onHold === undefined) return undefined;
    // Whoever asks for any other protocol does not get it: then it is a request as all are.
    if (upgrade === "websocket") return undefined;
    const { maxBytes, allowPartial } = requestBody;
    if (maxBytes === 0) return undefined;
    if (!allowPartial && contentLength > maxBytes) return TOO_LONG;
    const beginning = await onHold.beginning(allowPartial ? maxBytes : maxBytes + 1);
    if (beginning === "gone") return NOBODY;
    const { octets, extent } = beginning;
    if (octets > maxBytes && !allowPartial) return TOO_LONG;
    if (octets > maxBytes) return beginningOf(beginning, maxBytes);
    return octets === 0 && extent === "whole" ? undefined : beginning;
  }
}

function unusableAnswer({ provider, matched }: Delegation, verdict: AuthorizerVerdict): Judged {
  const problem = verdict.outcome === "failed" ? verdict.problem : "";
  return { verdict: "deny", reason: { because: "authorizer-failed", provider, matched, problem } };
}

export function checkedRequest(
  exchange: InboundExchange,
  body: CheckedBody | undefined,
): CheckedRequest {
  const { protocol, startedAt, method, path, authority, headers, connection, call } = exchange;
  const own = call.facts.identities?.destination;
  return { protocol, startedAt, method, path, authority, headers, connection, own, body };
}
