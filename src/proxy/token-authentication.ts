/** Who the user of a request is, by the tokens it carries: what RequestAuthentications demand, of one view (JWT-1..JWT-76). */

import { withoutParam } from "../jwt/query-params.ts";
import type { ReadToken } from "../jwt/read-token.ts";
import {
  type AcceptedToken,
  type Authentication,
  RequestAuthenticator,
} from "../jwt/request-authenticator.ts";
import { readTokenKeys, type TokenKey } from "../jwt/token-keys.ts";
import { statusOf, TOKEN_PROBLEMS } from "../jwt/token-status.ts";
import { VerifiedTokens } from "../jwt/verified-tokens.ts";
import type { Reason } from "../policy/decision.ts";
import { tokenPayload } from "../policy/token-payload.ts";
import type { TokenPayload } from "../policy/traffic.ts";
import type { AppliedTokenRule } from "../policy/workload-view.ts";
import { tokenRefusalDetails } from "../telemetry/response-details.ts";
import type { Answer } from "./exchange.ts";
import { outputHeaders, writeOutputs } from "./token-outputs.ts";
import { type TokenCarrier, takeOut, tokenBearer } from "./token-places-in-request.ts";

/** What is known of tokens and keys beyond one view: keys that stay the same are read once, tokens verified once. */
export class KnownTokens {
  readonly verified: VerifiedTokens = new VerifiedTokens();
  #keys: ReadonlyMap<string, readonly TokenKey[]> = new Map();

  /** @param keySets all of a view; those of an earlier one are forgotten */
  keysOf(keySets: readonly string[]): ReadonlyMap<string, readonly TokenKey[]> {
    const before = this.#keys;
    this.#keys = new Map(keySets.map((jwks) => [jwks, before.get(jwks) ?? readTokenKeys(jwks)]));
    return this.#keys;
  }
}

export class TokenAuthentication {
  readonly #rules: readonly AppliedTokenRule[];
  readonly #authenticator: RequestAuthenticator;
  readonly #outputs: readonly string[];
  /** Of each rule, by token: a request whose token is known needs no other. */
  readonly #payloads: readonly WeakMap<ReadToken, TokenPayload>[];

  constructor(rules: readonly AppliedTokenRule[], known: KnownTokens) {
    const keys = known.keysOf(rules.flatMap(({ jwks }) => jwks ?? []));
    this.#rules = rules;
    this.#outputs = outputHeaders(rules);
    this.#payloads = rules.map(() => new WeakMap());
    this.#authenticator = new RequestAuthenticator(
      rules.map(({ issuer, audiences, presence, locations, jwks }) => ({
        issuer,
        audiences,
        presence,
        places: locations,
        keys: jwks === undefined ? undefined : keys.get(jwks),
      })),
      known.verified,
    );
  }

  /** @returns undefined when there is nothing to demand */
  static of(
    rules: readonly AppliedTokenRule[] | undefined,
    known: KnownTokens,
  ): TokenAuthentication | undefined {
    const keptNone = rules === undefined || rules.length === 0;
    return keptNone ? undefined : new TokenAuthentication(rules, known);
  }

  get rules(): readonly AppliedTokenRule[] {
    return this.#rules;
  }

  /** JWT-74: headers that it writes, in lower case. What clients say in them goes no further, whoever they are. */
  get outputs(): readonly string[] {
    return this.#outputs;
  }

  /** @returns a promise only where a signature has to be verified first; it never rejects */
  authenticate(carrier: TokenCarrier, now: Date): Authentication | Promise<Authentication> {
    return this.#authenticator.authenticate(tokenBearer(carrier), now);
  }

  /**
   * Changes the request as the rules of its good tokens say.
   *
   * @returns the payload that policies ask about; undefined when there is no token
   */
  accept(carrier: TokenCarrier, accepted: readonly AcceptedToken[]): TokenPayload | undefined {
    for (const { rule: index, token, found } of accepted) {
      const rule = this.#rules[index];
      if (rule === undefined) continue;
      if (rule.afterwards === "removed") for (const one of found) takeOut(carrier, one);
      writeOutputs(carrier.headers, token, rule);
    }
    const [first] = accepted;
    return first && this.#payloadOf(first);
  }

  /** Of a request that is refused: its target is written down, and what may be a token there must not be. */
  conceal(carrier: TokenCarrier): void {
    for (const { locations } of this.#rules)
      for (const name of locations.params) carrier.path = withoutParam(carrier.path, name);
  }

  /** Why a request is refused, for logs and for people. */
  refusal({ result, byRule }: Extract<Authentication, { byRule: unknown }>): TokenRefused {
    return {
      because: "token-refused",
      problem: TOKEN_PROBLEMS[result],
      rules: this.#rules.map(({ ref, source, issuer }, index) => {
        const found = byRule[index] ?? "missing";
        const outcome = found === "good" ? "good" : TOKEN_PROBLEMS[found];
        return { origin: { ref, source }, issuer, outcome };
      }),
    };
  }

  #payloadOf({ rule: index, token }: AcceptedToken): TokenPayload {
    const payloads = this.#payloads[index];
    const known = payloads?.get(token);
    if (known !== undefined) return known;
    const { spaceDelimitedClaims = [] } = this.#rules[index] ?? {};
    const payload = tokenPayload(token.payload, { spaceDelimitedClaims });
    payloads?.set(token, payload);
    return payload;
  }
}

type TokenRefused = Extract<Reason, { because: "token-refused" }>;

/** Characters; Envoy's bound. */
const MAX_REALM = 256;

/** JWT-35 */
export function tokenAnswer(
  problem: Extract<Authentication, { byRule: unknown }>["result"],
  {
    scheme,
    authority,
    path,
  }: { readonly scheme: string; readonly authority: string; readonly path: string },
): Answer {
  const [target = ""] = path.split("?", 1);
  const realm = `${scheme}://${authority}${target}`.slice(0, MAX_REALM).replace(/["\\]/g, "\\$&");
  const error = problem === "missing" ? "" : ', error="invalid_token"';
  const text = TOKEN_PROBLEMS[problem];
  const status = statusOf(problem);
  return {
    status,
    body: text,
    ...(status !== 503 && { headers: ["www-authenticate", `Bearer realm="${realm}"${error}`] }),
    flags: "-",
    details: tokenRefusalDetails(text),
  };
}
