/** Asks the authorizers of policies on trial: all at once, and nobody waits for what they say (AP-113). */
import type { AuthorizerAnswer, Delegation, Judged } from "../../policy/decision.ts";
import { noAuthorizer } from "../../policy/unusable-authorizers.ts";
import { answerOf, refusalBy } from "./authorizer-answers.ts";
import type { AuthorizerClient, Inquiry } from "./authorizer-client.ts";
import type { Consents, ExternalAuthorization } from "./external-authorization.ts";

export interface TrialOutcome {
  readonly dryRun: Judged;
  readonly answers: readonly AuthorizerAnswer[];
}

export interface TrialOptions {
  readonly external: ExternalAuthorization;
  /** Of those that were asked already. */
  readonly consents: Consents;
  /** Undefined: it cannot be asked about such traffic. */
  readonly ask: (client: AuthorizerClient) => Inquiry | undefined;
}

const NOT_ASKABLE = "it cannot be asked about such traffic";
const TOO_MANY = "too many questions of policies on trial are under way";

/** @returns what is known at once, or a promise that never rejects; undefined where nobody has to be asked */
export function settleTrial(
  dryRun: Judged | undefined,
  { external, consents, ask }: TrialOptions,
): Judged | Promise<TrialOutcome> | undefined {
  if (dryRun?.reason.because !== "matched-custom") return undefined;
  const { delegations, afterwards } = dryRun.reason;
  const left = delegations.filter(({ provider }) => !consents.has(provider));
  const begun: (readonly [Delegation, AuthorizerClient, Inquiry])[] = [];
  for (const delegation of left) {
    const client = external.client(delegation.provider);
    const inquiry = typeof client === "string" || external.trials.isFull ? undefined : ask(client);
    if (typeof client !== "string" && inquiry !== undefined) {
      begun.push([delegation, client, inquiry]);
      continue;
    }
    for (const [, , other] of begun) other.cancel();
    if (typeof client === "string") return noAuthorizer(delegation, client);
    return noAuthorizer(delegation, external.trials.isFull ? TOO_MANY : NOT_ASKABLE);
  }
  if (begun.length === 0) return afterwards;
  return Promise.all(begun.map((one) => answered(external, one))).then((all) => ({
    dryRun: all.find(({ refusal }) => refusal !== undefined)?.refusal ?? afterwards,
    answers: all.map(({ answer }) => answer),
  }));
}

async function answered(
  external: ExternalAuthorization,
  [delegation, { settings }, inquiry]: readonly [Delegation, AuthorizerClient, Inquiry],
): Promise<{ readonly answer: AuthorizerAnswer; readonly refusal: Judged | undefined }> {
  const startedMs = performance.now();
  const found = await external.trials.answerTo(inquiry);
  const milliseconds = Math.round(performance.now() - startedMs);
  const answer = { ...answerOf(settings, found, milliseconds), dryRun: true } as const;
  external.answered(answer);
  return { answer, refusal: refusalBy(delegation, answer) };
}
