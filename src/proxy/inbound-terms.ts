/**
 * What the newest view says of one inbound connection, and of the requests on it: nothing of it changes from request to
 * request, so it is worked out when a view, or its port, is another one.
 */
import { ConnectionAuthorization } from "../policy/connection-authorization.ts";
import type { Reason } from "../policy/decision.ts";
import { type CompiledView, inboundRules } from "./compiled-view.ts";
import type { Route } from "./exchange.ts";
import { FORWARDED_CLIENT_CERT } from "./forwarded-client-cert.ts";
import { ReadyField } from "./http/ready-field.ts";
import type { InboundCall } from "./inbound-call.ts";
import type { ServedPort } from "./inbound-ports.ts";
import type { InboundRules } from "./inbound-steps.ts";
import type { HttpFraming } from "./mesh-protocols.ts";
import { refusalToday } from "./refusal-today.ts";

export interface InboundTerms {
  readonly port: ServedPort;
  readonly rules: InboundRules;
  /** Why the connection would not be accepted today. */
  readonly refusal: Reason | undefined;
  /** Whether it may serve further requests: a peer verified against other roots than today's has to come again. */
  readonly standing: "keep" | "close";
  readonly authorization: ConnectionAuthorization;
  /** What an application is told of a caller that did not say by itself for whom it speaks; absent: nothing. */
  readonly caller: ReadyField | undefined;
  /** To the application, by what it is spoken to in. */
  readonly routes: Partial<Record<HttpFraming, Route>>;
}

/** Of connections that stand, under the newest view that was asked for; those of older views are nobody's any more. */
export class KnownTerms {
  #compiled: CompiledView | undefined = undefined;
  #terms: WeakMap<InboundCall, InboundTerms> = new WeakMap();

  of(call: InboundCall, compiled: CompiledView, now: Date): InboundTerms {
    if (compiled !== this.#compiled) {
      this.#compiled = compiled;
      this.#terms = new WeakMap();
    }
    const known = this.#terms.get(call);
    const port = call.port();
    // A port that the view leaves out keeps the settings it had, and one that changes may do so later than the view.
    if (known?.port === port) return known;
    const terms = termsOf(call, inboundRules(compiled, port), { port, now });
    this.#terms.set(call, terms);
    return terms;
  }
}

export function termsOf(
  call: InboundCall,
  rules: InboundRules,
  { port, now }: { readonly port: ServedPort; readonly now: Date },
): InboundTerms {
  const caller = rules.clientCert.forward(undefined, call.peer ?? call.clientCertificate);
  return {
    port,
    rules,
    refusal: refusalToday(call, { rules, now }),
    standing: standingOf(call, rules),
    authorization: new ConnectionAuthorization(call.connection),
    caller: caller === undefined ? undefined : new ReadyField(FORWARDED_CLIENT_CERT, caller),
    routes: {},
  };
}

function standingOf({ peer, rootsPem }: InboundCall, rules: InboundRules): "keep" | "close" {
  if (peer === undefined) return "keep";
  const sameRoots = rules.mutualTls.mode !== "DISABLE" && rules.roots.same(rootsPem);
  return sameRoots ? "keep" : "close";
}
