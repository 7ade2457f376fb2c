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
import { formatAddress } from "./format-address.ts";
import { type InboundCall, tellOpened } from "./inbound-call.ts";
import type { ConnectionEnd, Recorder } from "./recorder.ts";
import { refusalToday } from "./refusal-today.ts";
import { refuseDelegated } from "./refuse-delegated.ts";
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
    const decision = this.#judge(call);
    if (decision.verdict !== "allow") {
      socket.destroy();
      recorder.connectionRefused(call.facts, decision);
      return;
    }
    tellOpened(call, { log, protocol: "tcp" });
    recorder.connectionOpened(call.facts);
    const standing: Standing = { socket, call, decision };
    this.#standing.add(standing);
    const application = this.#options.application(call);
    const end = await relayToApplication(standing, { head, application }).finally(() =>
      this.#standing.delete(standing),
    );
    recorder.connectionClosed(call.facts, { ...end, ...endingOf(standing) });
  }

  /** Ends the connections that the newest view refuses; the others do not notice. */
  judgeAgain(): void {
    for (const standing of this.#standing) {
      const decision = this.#judge(standing.call);
      if (decision.verdict === "allow") continue;
      this.#standing.delete(standing);
      standing.decision = decision;
      standing.socket.destroy();
      this.#tellEnded(standing);
    }
  }

  #judge(call: InboundCall): Decision {
    const { compiled, clock } = this.#options;
    const rules = transportRules(compiled.current, call.port());
    const reason = refusalToday(call, { rules, now: clock.now() });
    if (reason !== undefined) return { verdict: "deny", reason };
    return refuseDelegated(authorizeConnection(compiled.current.tcp, call.connection));
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
  const { address: target } = application;
  try {
    const upstream = await application.dial();
    const kept = socket.destroyed ? NOTHING : head;
    const { received, sent } = await relay(socket, upstream.socket, { head: kept });
    return { target, flags: "-", ends: upstream, bytesReceived: received, bytesSent: sent };
  } catch (error) {
    if (!(error instanceof UpstreamConnectError)) throw error;
    socket.destroy();
    const nothing = { bytesReceived: 0, bytesSent: 0 };
    return { target, flags: "UF", transportFailure: error.reason, ...nothing };
  }
}

const NOTHING = Buffer.alloc(0);
