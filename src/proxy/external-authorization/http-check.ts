/** Asks an authorizer that speaks plain HTTP: with the request's own method and path, and some of its headers (EA-10..EA-19). */

import { fieldName, fieldValue } from "../../http/field-ranges.ts";
import type { AppliedHttpAuthorizer } from "../../policy/applied-authorizers.ts";
import { HeldFields } from "../http/held-fields.ts";
import type { OwnAnswer, OwnRequest } from "../own-calls/own-call.ts";
import { type AuthorizerVerdict, failed, NO_CHANGES } from "./authorizer-verdict.ts";
import type { CheckedRequest } from "./checked-traffic.ts";
import { denial, WORDLESS_DENIAL } from "./denial.ts";
import { checkChanges, type FieldChange, isOwnName } from "./field-changes.ts";
import { headerPatterns, type MatchesHeader } from "./header-patterns.ts";
import { PARTIAL_BODY, toldFields } from "./told-fields.ts";

/** Of an answer. */
export const MAX_ANSWER_OCTETS = 1_048_576;
const NOTHING = Buffer.alloc(0);
/** Told of every denial, whatever list there is (EA-14). */
const ALWAYS_DOWNSTREAM = ["www-authenticate", "location"];
const REMOVED_NAMES = "x-envoy-auth-headers-to-remove";

export class HttpCheck {
  readonly #authorizer: AppliedHttpAuthorizer;
  readonly #isSent: MatchesHeader;
  readonly #goesUpstream: MatchesHeader;
  readonly #goesDownstreamOnDeny: MatchesHeader;
  readonly #goesDownstreamOnAllow: MatchesHeader;
  /** In lower case, in the order of their names. */
  readonly #additional: readonly (readonly [name: string, value: string])[];

  constructor(authorizer: AppliedHttpAuthorizer) {
    const { requestHeaders, additionalHeaders } = authorizer;
    this.#authorizer = authorizer;
    this.#isSent = headerPatterns([...requestHeaders, "authorization"]);
    this.#goesUpstream = headerPatterns(authorizer.headersToUpstreamOnAllow);
    this.#goesDownstreamOnAllow = headerPatterns(authorizer.headersToDownstreamOnAllow);
    const onDeny = authorizer.headersToDownstreamOnDeny;
    this.#goesDownstreamOnDeny =
      onDeny.length === 0 ? () => true : headerPatterns([...onDeny, ...ALWAYS_DOWNSTREAM]);
    this.#additional = Object.entries(additionalHeaders)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => !isOwnName(name))
      .sort(([one], [other]) => (one < other ? -1 : 1));
  }

  /** @throws RangeError where there is no room for all headers */
  request(checked: CheckedRequest): OwnRequest {
    const { method, path, authority = "", body } = checked;
    const { pathPrefix, timeoutMs } = this.#authorizer;
    return {
      method,
      path: pathPrefix + path,
      authority,
      fields: this.#fields(checked),
      body: body === undefined ? NOTHING : Buffer.concat(body.pieces),
      framing: "HTTP/1.1",
      timeoutMs,
      maxAnswerOctets: MAX_ANSWER_OCTETS,
      repeat: "harmless",
    };
  }

  /** EA-17 */
  verdict({ status, fields, body, trailers }: OwnAnswer): AuthorizerVerdict {
    trailers?.release();
    try {
      if (status >= 500) return failed(`status ${status}`);
      return status === 200 ? this.#allowed(fields) : this.#denied(status, { fields, body });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (status !== 200) return WORDLESS_DENIAL;
      return failed(`its answer cannot be used: ${error.message}`);
    } finally {
      fields.release();
    }
  }

  /** A denial goes to the caller as a text: the authorizer is not invited to compress it. */
  #fields({ headers, body, connection }: CheckedRequest): HeldFields {
    const fields = HeldFields.borrow();
    for (const [name, places] of toldFields(headers)) {
      if (!this.#isSent(name) || isOwnName(name) || name === "accept-encoding") continue;
      fields.add(name, places.map((place) => fieldValue(headers, place)).join(","));
    }
    if (body !== undefined) fields.add(PARTIAL_BODY, String(body.extent === "partial"));
    for (const [name, value] of this.#additional) fields.set(name, value);
    const forwardedFor = fields.get("x-forwarded-for");
    const own = connection.destinationAddress;
    fields.set("x-forwarded-for", forwardedFor ? `${forwardedFor},${own}` : own);
    fields.set("x-envoy-internal", "true");
    return fields;
  }

  #allowed(fields: HeldFields): AuthorizerVerdict {
    const upstream = changesOf(fields, { matches: this.#goesUpstream, how: "overwrite" });
    const answerFields = changesOf(fields, { matches: this.#goesDownstreamOnAllow, how: "add" });
    const removed = fields.get(REMOVED_NAMES)?.split(",") ?? [];
    const remove = removed.map((name) => name.trim().toLowerCase());
    return {
      outcome: "allowed",
      changes: {
        ...NO_CHANGES,
        fields: upstream,
        answerFields,
        remove: remove.filter((name) => name !== "" && !isOwnName(name)),
      },
    };
  }

  #denied(
    status: number,
    { fields, body }: { readonly fields: HeldFields; readonly body: Buffer },
  ): AuthorizerVerdict {
    const headers = changesOf(fields, { matches: this.#goesDownstreamOnDeny, how: "add" });
    return { outcome: "denied", answer: denial(status, { body: body.toString("utf8"), headers }) };
  }
}

/** Of several with one name each stays, but that only the last of them overwrites. */
function changesOf(
  fields: HeldFields,
  { matches, how }: { readonly matches: MatchesHeader; readonly how: FieldChange["how"] },
): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  for (let index = 0; index < fields.count; index++) {
    const name = fieldName(fields, index).toLowerCase();
    if (!fields.goesOn(index) || isOwnName(name) || !matches(name)) continue;
    changes.push({ name, value: fieldValue(fields, index), how });
  }
  checkChanges(changes);
  return changes;
}
