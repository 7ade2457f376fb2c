/** Asks the external authorizers that CUSTOM policies name about one connection that carries no HTTP (EA-25, EA-29). */
import type { UsableAuthorizer } from "../../policy/applied-authorizers.ts";
import type { AuthorizerAnswer, Decision, Delegation } from "../../policy/decision.ts";
import { noAuthorizer } from "../../policy/unusable-authorizers.ts";
import { answerOf, refusalBy } from "./authorizer-answers.ts";
import type { Inquiry } from "./authorizer-client.ts";
import type { CheckedConnection } from "./checked-traffic.ts";
import type { Consent, Consents, ExternalAuthorization } from "./external-authorization.ts";

/** What is known of a connection's authorizers. */
export interface ConnectionConsents {
  readonly answers: readonly AuthorizerAnswer[];
  readonly consents: Consents;
}

export const NOBODY_ASKED: ConnectionConsents = { answers: [], consents: new Map() };

const NO_REQUEST = "it is asked over HTTP, and the connection carries no request to ask about";

/**
 * @param whenLeft takes what ends the question under way
 * @returns the decision that ends the connection; otherwise all have let it pass who were asked
 */
export async function consultAboutConnection(
  checked: CheckedConnection,
  {
    delegations,
    external,
  }: { delegations: readonly Delegation[]; external: ExternalAuthorization },
  whenLeft: (cancel: () => void) => void,
): Promise<Decision | ConnectionConsents> {
  const unusable = unusableFor(delegations, external);
  if (unusable !== undefined) return unusable;
  const answers: AuthorizerAnswer[] = [];
  const consents = new Map<string, Consent>();
  for (const delegation of delegations) {
    const { answer, settings } = await ask(delegation, external, (client) => {
      const inquiry = client(checked);
      whenLeft(inquiry.cancel);
      return inquiry;
    });
    external.answered(answer);
    answers.push(answer);
    const refusal = refusalBy(delegation, answer);
    if (refusal !== undefined) return { ...refusal, asked: answers };
    consents.set(delegation.provider, { settings, outcome: answer.outcome });
  }
  return { answers, consents };
}

/** What the policies say of a connection whose authorizers have let it pass; of all others, as it is. */
export function withConsents(
  decision: Decision,
  external: ExternalAuthorization | undefined,
  { answers, consents }: ConnectionConsents,
): Decision {
  const { reason } = decision;
  const asked = answers.length === 0 ? {} : { asked: answers };
  if (reason.because !== "matched-custom") return { ...decision, ...asked };
  const missing = reason.delegations.some(
    ({ provider }) => external?.hasConsent(provider, consents) !== true,
  );
  return missing ? decision : { ...decision, ...reason.afterwards, ...asked };
}

/** Of a connection that stands, or must not wait any longer. */
export function withoutAsking(decision: Decision): Decision {
  const { reason } = decision;
  if (reason.because !== "matched-custom") return decision;
  const [delegation] = reason.delegations;
  if (delegation === undefined) throw new RangeError("a delegation to nobody");
  return { ...decision, ...noAuthorizer(delegation, NOT_ASKED) };
}

const NOT_ASKED = "policies have changed, and it was not asked about this traffic";

function unusableFor(
  delegations: readonly Delegation[],
  external: ExternalAuthorization,
): Decision | undefined {
  for (const delegation of delegations) {
    const client = external.client(delegation.provider);
    if (typeof client === "string") return noAuthorizer(delegation, client);
    if (client.askAboutConnection === undefined) return noAuthorizer(delegation, NO_REQUEST);
  }
  return undefined;
}

async function ask(
  { provider }: Delegation,
  external: ExternalAuthorization,
  begin: (client: (checked: CheckedConnection) => Inquiry) => Inquiry,
): Promise<{ readonly answer: AuthorizerAnswer; readonly settings: UsableAuthorizer }> {
  const client = external.client(provider);
  if (typeof client === "string" || client.askAboutConnection === undefined)
    throw new TypeError(`${provider} cannot be asked`);
  const startedMs = performance.now();
  const verdict = await begin(client.askAboutConnection).verdict;
  const milliseconds = Math.round(performance.now() - startedMs);
  return { answer: answerOf(client.settings, verdict, milliseconds), settings: client.settings };
}
