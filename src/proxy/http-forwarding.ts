/**
 * Sends one request on and brings its answer back: bodies flow at the slower side's pace, and whichever side fails
 * first takes the other with it. Bytes that were sent are never sent again, unless doing so can do no harm.
 */
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describeError } from "../runtime/hauberk-error.ts";
import { type ConnectAttempt, ConnectAttempts } from "./connect-attempts.ts";
import type { Exchange, Outcome, Route, Target } from "./exchange.ts";
import { HeaderList, headerValues } from "./header-list.ts";
import { answer, MAX_HEADER_BYTES, refuseRest } from "./local-answer.ts";
import { type Upstream, UpstreamConnectError } from "./upstream-dialer.ts";

/** Methods that may be repeated, as RFC 9110 section 9.2.2 says. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);
/** Methods for which a missing length would be read as a body to come. */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

export interface ForwardOptions {
  readonly exchange: Exchange;
  readonly route: Route;
}

/** Settles when the client has its answer, or is gone; never rejects. */
export function forwardRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: ForwardOptions,
): Promise<Outcome> {
  return new Promise((resolve) =>
    new Forwarding(incoming, response, { ...options, resolve }).start(),
  );
}

class Forwarding {
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #exchange: Exchange;
  readonly #attempts: ConnectAttempts<Target>;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #hasBody: boolean;
  #repeated = false;
  #pause: NodeJS.Timeout | undefined;
  #target: Target | undefined;
  #upstream: Upstream | undefined;
  #outgoing: ClientRequest | undefined;
  #answered = false;
  #sentAt = 0;
  #answer: { readonly headers: HeaderList; readonly afterMs: number } | undefined;
  #failure: { readonly flags: string; readonly details: string } | undefined;
  #transportFailure: string | undefined;
  #bytesReceived = 0;
  #bytesSent = 0;

  constructor(
    incoming: IncomingMessage,
    response: ServerResponse,
    { exchange, route, resolve }: ForwardOptions & { readonly resolve: (outcome: Outcome) => void },
  ) {
    this.#incoming = incoming;
    this.#response = response;
    this.#exchange = exchange;
    this.#attempts = new ConnectAttempts(route.targets, route.persistence);
    this.#resolve = resolve;
    this.#hasBody = carriesBody(exchange.head.rawHeaders);
  }

  start(): void {
    this.#response.once("close", () => this.#finish());
    this.#response.on("error", () => this.#response.destroy());
    const target = this.#attempts.first();
    if (target === undefined) {
      this.#fail({ flags: "UH", details: "no_healthy_upstream" });
    } else {
      if (awaitsContinue(this.#incoming)) this.#response.writeContinue();
      this.#send(target);
    }
  }

  #send(target: Target): void {
    this.#target = target;
    this.#upstream = undefined;
    this.#sentAt = performance.now();
    const outgoing = this.#open(target);
    this.#outgoing = outgoing;
    outgoing.once("socket", (socket) => this.#connected(outgoing, socket));
    outgoing.once("response", (reply) => this.#bringBack(reply));
    outgoing.on("error", (error) => this.#upstreamFailed(outgoing, error));
    if (!this.#hasBody) outgoing.end();
  }

  #open(target: Target): ClientRequest {
    return request({
      agent: target.agent,
      method: this.#exchange.head.method,
      path: this.#exchange.path,
      headers: this.#outgoingHeaders(),
      setHost: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      insecureHTTPParser: false,
    });
  }

  #outgoingHeaders(): string[] {
    const { headers, head } = this.#exchange;
    const flat = headers.endToEnd();
    if (headerValues(head.rawHeaders, "transfer-encoding").length > 0) {
      flat.push("Transfer-Encoding", "chunked");
    } else if (WITH_BODY.has(head.method) && headers.get("content-length") === undefined) {
      flat.push("Content-Length", "0");
    }
    return flat;
  }

  /** Only now does the body begin to flow: until there is a connection it can still go elsewhere. */
  #connected(outgoing: ClientRequest, socket: Socket): void {
    this.#upstream = this.#target?.agent.upstreamOf(socket);
    if (!this.#hasBody || outgoing.destroyed) return;
    this.#incoming.on("data", (chunk: Buffer) => {
      this.#bytesReceived += chunk.length;
    });
    this.#incoming.pipe(outgoing);
  }

  #bringBack(reply: IncomingMessage): void {
    if (this.#response.headersSent) {
      reply.destroy();
      return;
    }
    const broken = (): void => {
      if (this.#response.writableEnded) return;
      this.#failure ??= {
        flags: "UC",
        details: "upstream_reset_after_response_started{connection_termination}",
      };
      this.#response.destroy();
    };
    this.#answered = true;
    const headers = new HeaderList(reply.rawHeaders);
    this.#answer = { headers, afterMs: Math.round(performance.now() - this.#sentAt) };
    reply.on("error", broken).once("close", () => {
      if (!reply.complete) broken();
    });
    try {
      this.#response.writeHead(reply.statusCode ?? 502, reply.statusMessage, headers.endToEnd());
    } catch (error) {
      this.#transportFailure = describeError(error);
      broken();
      return;
    }
    reply.on("data", (chunk: Buffer) => {
      this.#bytesSent += chunk.length;
    });
    reply.pipe(this.#response);
  }

  #upstreamFailed(outgoing: ClientRequest, error: Error): void {
    if (this.#answered || this.#response.headersSent || this.#response.destroyed) return;
    const next = this.#nextAttempt(outgoing, error);
    if (next !== undefined) {
      this.#pause = setTimeout(() => this.#send(next.endpoint), next.pauseMs);
      return;
    }
    const connecting = error instanceof UpstreamConnectError;
    this.#transportFailure = connecting ? error.reason : describeError(error);
    this.#fail({
      flags: connecting ? "UF" : "UC",
      details: `upstream_reset_before_response_started{${connecting ? "connection_failure" : "connection_termination"}}`,
    });
  }

  /** When no byte left us; and once more when an idle connection turned out to be dead, since others will be too. */
  #nextAttempt(outgoing: ClientRequest, error: Error): ConnectAttempt<Target> | undefined {
    const target = this.#target;
    if (target === undefined) return undefined;
    if (error instanceof UpstreamConnectError) return this.#attempts.after(target, error);
    const repeatable = !this.#hasBody && IDEMPOTENT.has(this.#exchange.head.method);
    if (!outgoing.reusedSocket || !repeatable || this.#repeated) return undefined;
    this.#repeated = true;
    target.agent.dropIdle();
    return { endpoint: target, pauseMs: 0 };
  }

  #fail(failure: { readonly flags: string; readonly details: string }): void {
    this.#failure = failure;
    const body = "no connection to the service, or it was lost before an answer\n";
    answer(this.#incoming, this.#response, { status: 503, body, ...failure });
  }

  #refusedMeanwhile(): typeof MALFORMED | undefined {
    return this.#answered ? undefined : MALFORMED;
  }

  #finish(): void {
    clearTimeout(this.#pause);
    const complete = this.#response.writableFinished;
    if (this.#outgoing !== undefined && !(complete && this.#outgoing.writableFinished)) {
      this.#incoming.unpipe(this.#outgoing);
      this.#outgoing.destroy();
    }
    refuseRest(this.#incoming);
    const failure = this.#failure ?? (complete ? this.#refusedMeanwhile() : CLIENT_LEFT);
    this.#resolve({
      status: this.#response.headersSent ? this.#response.statusCode : null,
      flags: failure?.flags ?? "-",
      details: failure?.details ?? "via_upstream",
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      ...(this.#target === undefined ? {} : { target: this.#target.address }),
      ...(this.#upstream === undefined ? {} : { ends: this.#upstream }),
      ...(this.#transportFailure === undefined ? {} : { transportFailure: this.#transportFailure }),
      ...(this.#answer === undefined
        ? {}
        : { responseHeaders: this.#answer.headers, upstreamServiceMs: this.#answer.afterMs }),
    });
  }
}

/** The rest of the request turned out to be malformed, and was answered so. */
const MALFORMED = { flags: "DPE", details: "http1.codec_error" };
const CLIENT_LEFT = { flags: "DC", details: "downstream_remote_disconnect" };

/** RFC 9110 section 10.1.1: HTTP/1.0 knows nothing of it. Any other expectation was refused. */
function awaitsContinue({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === "1.1";
}

function carriesBody(rawHeaders: readonly string[]): boolean {
  return (
    headerValues(rawHeaders, "transfer-encoding").length > 0 ||
    headerValues(rawHeaders, "content-length").some((length) => Number(length) > 0)
  );
}
