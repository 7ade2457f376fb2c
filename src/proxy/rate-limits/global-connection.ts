/** A sidecar's connection to the rate limit service of its control plane: mutual TLS, opened when it is first needed. */
import { CONTROL_PLANE_NAME } from "../../identity/certificate-client.ts";
import type { X509Svid } from "../../identity/x509-svid.ts";
import type { Watched } from "../../runtime/watched.ts";
import { type BytesMethod, GrpcClient } from "../../wire/grpc-client.ts";
import { GrpcStatusError, type GrpcStatusName } from "../../wire/grpc-status.ts";
import {
  ADVANCE_HEADER,
  type RateLimitQuestion,
  SHOULD_RATE_LIMIT,
} from "../../wire/rate-limit-call.ts";
import type { AskService } from "./global-questions.ts";

export interface GlobalConnectionOptions {
  /** `host:port` */
  readonly controlPlane: string;
  readonly svid: Watched<X509Svid | undefined>;
  /** PEM of the roots that the control plane's certificate must chain to, as known when a connection starts. */
  readonly rootsPem: () => readonly string[];
  readonly serverName?: string;
  /** Of one question, in milliseconds; constant but for tests. */
  readonly timeoutMs?: number;
}

/** Nobody waits for it yet but the sidecar's start. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Requests wait for it; Envoy's 20 ms are for a service that does nothing else. */
const TIMEOUT_MS = 200;
/** An answer for 64 descriptors is 4 KiB. */
const MAX_RECEIVE_BYTES = 64 * 1024;

/** What the service itself says: its connection is as good as before. */
const ANSWERS: ReadonlySet<GrpcStatusName> = new Set([
  "DEADLINE_EXCEEDED",
  "FAILED_PRECONDITION",
  "INVALID_ARGUMENT",
  "RESOURCE_EXHAUSTED",
]);

function isAnswer(error: unknown): boolean {
  return error instanceof GrpcStatusError && ANSWERS.has(error.status);
}

export class GlobalConnection {
  readonly #options: GlobalConnectionOptions;
  #open: { readonly client: GrpcClient; readonly svid: X509Svid } | undefined;

  constructor(options: GlobalConnectionOptions) {
    this.#options = options;
  }

  /** What was given in advance is used. */
  readonly ask: AskService = (question) =>
    this.#call(SHOULD_RATE_LIMIT, question, { [ADVANCE_HEADER]: "welcome" });

  /** The answer as it came, for whoever reads it himself, and uses nothing given in advance. */
  readonly askForBytes = (question: RateLimitQuestion): Promise<Uint8Array> =>
    this.#call({ ...SHOULD_RATE_LIMIT, read: (bytes) => bytes }, question, {});

  /** A connection that failed is given up, so that the next one begins at once, and with what is trusted then. */
  async #call<Answer>(
    method: BytesMethod<RateLimitQuestion, Answer>,
    question: RateLimitQuestion,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const client = this.#client();
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    try {
      return await client.unaryBytes(method, question, { timeoutMs, headers });
    } catch (error) {
      if (!isAnswer(error) && client === this.#open?.client) this.close();
      throw error;
    }
  }

  /** Before the first request: the first connection of a process takes longer than a question may. */
  async open(): Promise<void> {
    await this.#client().connect(CONNECT_TIMEOUT_MS);
  }

  close(): void {
    this.#open?.client.close();
    this.#open = undefined;
  }

  /** With a new certificate a new connection; what is under way on the older one ends there. */
  #client(): GrpcClient {
    const { controlPlane, rootsPem, svid, serverName = CONTROL_PLANE_NAME } = this.#options;
    const { current } = svid;
    if (current === undefined)
      throw new GrpcStatusError("UNAUTHENTICATED", "there is no certificate yet");
    if (this.#open !== undefined && this.#open.svid === current) return this.#open.client;
    this.#retire();
    const client = new GrpcClient({
      address: controlPlane,
      serverName,
      rootsPem: rootsPem(),
      certificate: { chainPem: current.certificateChainPem, privateKeyPem: current.privateKeyPem },
      maxReceiveBytes: MAX_RECEIVE_BYTES,
    });
    this.#open = { client, svid: current };
    return client;
  }

  #retire(): void {
    const before = this.#open?.client;
    if (before !== undefined) setTimeout(() => before.close(), TIMEOUT_MS).unref();
  }
}
