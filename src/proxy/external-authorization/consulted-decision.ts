/** What becomes of a request by the policies here, once the authorizers that had to be asked have let it pass (AP-126). */
import type { Decision } from "../../policy/decision.ts";
import { noAuthorizer } from "../../policy/unusable-authorizers.ts";
import type { InboundExchange } from "../inbound-steps.ts";
import type { InboundTerms } from "../inbound-terms.ts";
import { askedOf, checkedRequest } from "./consultation.ts";
import type { Consents, ExternalAuthorization } from "./external-authorization.ts";
import { settleTrial } from "./trial.ts";

/** Of one that `consultAuthorizers` has let go on. Policies on trial are asked for, and nobody waits for them (AP-113). */
export function consultedDecision(exchange: InboundExchange): Decision {
  const { authorization, rules } = exchange.terms;
  const { external } = rules;
  if (external === undefined) return authorization.judge(rules.authorization, exchange);
  const local = authorization.judgeLocally(rules.authorization, exchange);
  const decision = { ...local, ...askedOf(exchange) };
  return decision.dryRun === undefined ? decision : withTrial(exchange, external, decision);
}

/**
 * Of one that was let in a while ago, by the terms of today: nobody is asked anew, and what an authorizer has allowed
 * counts as long as it is the same one, and asked in the same way.
 */
export function standingDecision(exchange: InboundExchange, terms: InboundTerms): Decision {
  const { authorization, rules } = terms;
  const { external } = rules;
  if (external === undefined) return authorization.judge(rules.authorization, exchange);
  const consents = exchange.consulted?.consents ?? NOBODY;
  for (const delegation of authorization.delegations(rules.authorization, exchange)) {
    if (external.hasConsent(delegation.provider, consents)) continue;
    return { ...noAuthorizer(delegation, NOT_ASKED), ...askedOf(exchange) };
  }
  const { dryRun: _, ...local } = authorization.judgeLocally(rules.authorization, exchange);
  return { ...local, ...askedOf(exchange) };
}

const NOBODY: Consents = new Map();
const NOT_ASKED = "policies have changed, and it was not asked about this traffic";

/** About the request as it is now: it may be over when they answer. Its body is not told. */
function withTrial(
  exchange: InboundExchange,
  external: ExternalAuthorization,
  decision: Decision,
): Decision {
  const settled = settleTrial(decision.dryRun, {
    external,
    consents: exchange.consulted?.consents ?? NOBODY,
    ask: (client) => client.askAboutRequest(checkedRequest(exchange, undefined)),
  });
  if (settled === undefined) return decision;
  if (!(settled instanceof Promise)) return { ...decision, dryRun: settled };
  const told = settled.then(({ dryRun, answers }) => {
    exchange.trial = undefined;
    const current = exchange.decision;
    if (current === undefined || current.dryRun !== decision.dryRun) return;
    exchange.decision = { ...current, dryRun, asked: [...(current.asked ?? []), ...answers] };
  });
  exchange.trial = external.trials.within(told);
  return decision;
}
