/** The external authorizers of one view, and what they have said of traffic that waits for them (AP-120..AP-126). */
import { isDeepStrictEqual } from "node:util";
import type { AppliedAuthorizer, UsableAuthorizer } from "../../policy/applied-authorizers.ts";
import type { AuthorizerAnswer } from "../../policy/decision.ts";
import type { Inbound } from "../../policy/workload-view.ts";
import type { ServiceCaller } from "../own-calls/service-caller.ts";
import { type AuthorizerClient, authorizerClient } from "./authorizer-client.ts";
import { RunningTrials } from "./running-trials.ts";

/** What asking needs of the sidecar. */
export interface AuthorizerAccess {
  readonly services: ServiceCaller;
  /** Hears of every answer, or that there was none. */
  readonly answered: (answer: AuthorizerAnswer) => void;
  readonly trials: RunningTrials;
}

/** By name, whoever let a request or connection pass. */
export type Consents = ReadonlyMap<string, Consent>;

export interface Consent {
  /** How it was asked. */
  readonly settings: UsableAuthorizer;
  readonly outcome: AuthorizerAnswer["outcome"];
}

const NO_ACCESS = "nobody can be asked from here";
const UNKNOWN = "nothing is known of it here";

export class ExternalAuthorization {
  readonly answered: AuthorizerAccess["answered"];
  readonly trials: RunningTrials;
  readonly #clients: ReadonlyMap<string, AuthorizerClient | string>;

  constructor(authorizers: readonly AppliedAuthorizer[], access: AuthorizerAccess | undefined) {
    this.answered = access?.answered ?? (() => {});
    this.trials = access?.trials ?? new RunningTrials();
    this.#clients = new Map(
      authorizers.map((authorizer) => [
        authorizer.name,
        access === undefined ? NO_ACCESS : authorizerClient(authorizer, access.services),
      ]),
    );
  }

  /** @returns undefined where nobody has to be asked */
  static of(
    { authorization, authorizers = [] }: Inbound,
    access: AuthorizerAccess | undefined,
  ): ExternalAuthorization | undefined {
    if (authorization.custom.length === 0) return undefined;
    return new ExternalAuthorization(authorizers, access);
  }

  /** @returns the problem of one that cannot be asked */
  client(provider: string): AuthorizerClient | string {
    return this.#clients.get(provider) ?? UNKNOWN;
  }

  /** Whether it was this authorizer that let it pass: under the same name there may be another one by now. */
  hasConsent(provider: string, consents: Consents): boolean {
    const client = this.client(provider);
    const consent = consents.get(provider);
    if (typeof client === "string" || consent === undefined) return false;
    if (consent.outcome === "passed unasked" && !client.settings.failOpen) return false;
    return isDeepStrictEqual(questionOf(consent.settings), questionOf(client.settings));
  }
}

/** Who is asked, and what: not how long to wait for it, or what becomes of errors. */
function questionOf(settings: UsableAuthorizer): object {
  const { timeoutMs: _, failOpen: __, statusOnError: ___, ...question } = settings;
  return question;
}
