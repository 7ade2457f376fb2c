/**
 * Carries inbound connections to the application as bytes, as long as policy allows: unlike a request, a connection that
 * stands is judged again whenever the view changes (a deliberate difference from AP-134).
 */
import type { Socket } from "node:net";
import { authorizeConnection } from "../policy/authorize.ts";
import type { Decision } from "../policy/decision.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import type { ApplicationTarget, FindApplication } from "./application-dial.ts";
import { type CompiledView, transportRules } from "./compiled-view.ts";
import {
  type ConnectionConsents,
  consultAboutConnection,
  NOBODY_ASKED,
  withConsents,
  withoutAsking,
} from "./external-authorization/consult-connection.ts";
import { settleTrial } from "./external-authorization/trial.ts";
import { formatAddress } from "./format-address.ts";
import { type InboundCall, tellOpened } from "./inbound-call.ts";
import { whenClosed, withLimits } from "./rate-limits/connection-limits.ts";
import type { ConnectionEnd, Recorder } from "./recorder.ts";
import { refusalToday } from "./refusal-today.ts";
import { relay } from "./tcp-relay.ts";
import { UpstreamConnectError } from "./upstream-dialer.ts";

export interface InboundCarrierOptions {
  readonly compiled: Watched<CompiledView>;
  readonly application: FindApplication;
  readonly recorder: Recorder;
  readonly log: Log;
  readonly clock: Clock;
}

export interface Carried {
  readonly socket: Socket;
  readonly call: InboundCall;
  /** What the client sent that could not be given back to the socket. */
  readonly head: Buffer;
}

/** `decision` is the one that admitted the connection, or the one that ended it. */
interface Standing {
  readonly socket: Socket;
  readonly call: InboundCall;
  readonly consents: ConnectionConsents;
  decision: Decision;
}

export class InboundCarrier {
  readonly #options: InboundCarrierOptions;
  readonly #standing = new Set<Standing>();

  constructor(options: InboundCarrierOptions) {
    this.#options = options;
  }

  /** Resolves when the connection has ended, or was refused. */
  async carry({ socket, call, head }: Carried): Promise<void> {
    const { recorder, log } = this.#options;
    const consents = await this.#consult(socket, call);
    const decision = "verdict" in consents ? consents : this.#judge(call, consents);
    if ("verdict" in consents || decision.verdict !== "allow") {
      socket.destroy();
      recorder.connectionRefused(call.facts, decision);
      return;
    }
    const admitted = this.#options.compiled.current.connectionLimits?.admit(call.connection);
    if (admitted?.refused !== undefined) {
      socket.destroy();
      recorder.connectionRefused(call.facts, withLimits(decision, admitted));
      return;
    }
    if (admitted !== undefined) whenClosed(socket, admitted.ended);
    tellOpened(call, { log, protocol: "tcp" });
    recorder.connectionOpened(call.facts);
    const standing: Standing = {
      socket,
      call,
      consents,
      decision: admitted === undefined ? decision : withLimits(decision, admitted),
    };
    this.#standing.add(standing);
    this.#tryOut(standing);
    const application = this.#options.application(call);
    const end = await relayToApplication(standing, { head, application }).finally(() =>
      this.#standing.delete(standing),
    );
    recorder.connectionClosed(call.facts, { ...end, ...endingOf(standing) });
  }

  /** Ends the connections that the newest view refuses; the others do not notice. */
  judgeAgain(): void {
    for (const standing of this.#standing) {
      const decision = this.#judge(standing.call, standing.consents);
      if (decision.verdict === "allow") continue;
      this.#standing.delete(standing);
      standing.decision = decision;
      standing.socket.destroy();
      this.#tellEnded(standing);
    }
  }

  /** Never "delegate": nobody is asked any more. */
  #judge(call: InboundCall, consents: ConnectionConsents): Decision {
    const { external } = this.#options.compiled.current;
    return withoutAsking(withConsents(this.#judgeUnasked(call), external, consents));
  }

  #judgeUnasked(call: InboundCall): Decision {
    const { compiled, clock } = this.#options;
    const rules = transportRules(compiled.current, call.port());
    const reason = refusalToday(call, { rules, now: clock.now() });
    if (reason !== undefined) return { verdict: "deny", reason };
    return authorizeConnection(compiled.current.tcp(), call.connection);
  }

  /** EA-25: whoever leaves meanwhile is waited for by nobody. @returns a decision where that is the end of it */
  async #consult(socket: Socket, call: InboundCall): Promise<Decision | ConnectionConsents> {
    const { external } = this.#options.compiled.current;
    const { reason } = external === undefined ? NOT_DELEGATED : this.#judgeUnasked(call);
    if (external === undefined || reason.because !== "matched-custom") return NOBODY_ASKED;
    const { connection, facts } = call;
    const checked = { connection, own: facts.identities?.destination };
    let cancel = (): void => {};
    const leave = (): void => cancel();
    socket.on("error", leave).once("close", leave);
    const { delegations } = reason;
    const asked = await consultAboutConnection(checked, { delegations, external }, (end) => {
      cancel = end;
    });
    socket.off("close", leave);
    cancel = () => {};
    return asked;
  }

  /** AP-113: what authorizers on trial say is told when the connection ends, if they have said it by then. */
  #tryOut(standing: Standing): void {
    const { external } = this.#options.compiled.current;
    if (external === undefined || standing.decision.dryRun === undefined) return;
    const { connection, facts } = standing.call;
    const { consents } = standing.consents;
    const before = standing.decision;
    const settled = settleTrial(before.dryRun, {
      external,
      consents,
      ask: (client) =>
        client.askAboutConnection?.({ connection, own: facts.identities?.destination }),
    });
    if (settled === undefined) return;
    if (!(settled instanceof Promise)) standing.decision = { ...before, dryRun: settled };
    else
      void settled.then(({ dryRun, answers }) => {
        if (standing.decision !== before) return;
        standing.decision = { ...before, dryRun, asked: [...(before.asked ?? []), ...answers] };
      });
  }

  #tellEnded({ call, decision }: Standing): void {
    this.#options.log.info("connection ended by a change of policy", {
      from: formatAddress(call.facts.remote),
      port: call.port().containerPort,
      principal: call.peer?.id,
      because: decision.reason.because,
    });
  }
}

function endingOf({ decision }: Standing): Pick<ConnectionEnd, "decision" | "termination"> {
  return { decision, ...(decision.verdict !== "allow" && { termination: "policy changed" }) };
}

/** The view may change while the application is dialled: then it gets no byte. */
async function relayToApplication(
  { socket }: Standing,
  { head, application }: { readonly head: Buffer; readonly application: ApplicationTarget },
): Promise<Omit<ConnectionEnd, "decision">> {
  try {
    const upstream = await application.dial();
    const { address: target } = application;
    const kept = socket.destroyed ? NOTHING : head;
    const { received, sent } = await relay(socket, upstream.socket, { head: kept });
    return { target, flags: "-", ends: upstream, bytesReceived: received, bytesSent: sent };
  } catch (error) {
    if (!(error instanceof UpstreamConnectError)) throw error;
    socket.destroy();
    const nothing = { bytesReceived: 0, bytesSent: 0 };
    const { address: target } = application;
    return { target, flags: "UF", transportFailure: error.reason, ...nothing };
  }
}

const NOTHING = Buffer.alloc(0);
const NOT_DELEGATED: Pick<Decision, "reason"> = { reason: { because: "no-allow-policy" } };
