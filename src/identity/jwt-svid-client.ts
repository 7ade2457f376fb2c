/**
 * A sidecar's way to JWT-SVIDs: asks the control plane for its workload's tokens, keeps each for half of its life, and
 * stays informed of the keys that tokens are verified with.
 */
import type { KeyObject } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Clock } from "../runtime/clock.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { type Backoff, backoffDelay } from "../runtime/retry.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import { JwtSvidService } from "../wire/gen/hauberk/identity/v1/jwt_svid_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { instantOf } from "../wire/timestamp.ts";
import { CONTROL_PLANE_NAME } from "./certificate-client.ts";
import { parseJwtBundle } from "./jwt-bundle.ts";
import { MAX_JWT_SVID_CHARACTERS } from "./jwt-svid.ts";
import type { X509Svid } from "./x509-svid.ts";

const TIMEOUT_MS = 10_000;
const MAX_RECEIVE_BYTES = 1_048_576;
const MAX_KEPT_TOKENS = 128;
const BACKOFF: Backoff = { baseMs: 200, maxMs: 15_000 };
/** A stream that held so long counts as a success: the next backoff starts anew. */
const SETTLED_MS = 5_000;

/** The control plane answered with something that is no token for us. */
export class JwtSvidAnswerError extends HauberkError {
  readonly code = "HAUBERK_JWT_SVID_ANSWER";
}

export interface JwtSvidClientOptions {
  /** `host:port` */
  readonly controlPlane: string;
  /** PEM of the roots that the control plane's certificate must chain to; asked at each connection. */
  readonly rootsPem: () => readonly string[];
  readonly svid: Watched<X509Svid | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly serverName?: string;
}

interface KeptToken {
  readonly token: Promise<string>;
  /** Until when it is handed out; known once it is there. */
  until: number;
}

export class JwtSvidClient {
  readonly #options: JwtSvidClientOptions;
  readonly #publicKeys: WatchedValue<ReadonlyMap<string, KeyObject> | undefined> = new WatchedValue<
    ReadonlyMap<string, KeyObject> | undefined
  >(undefined);
  readonly #kept = new Map<string, KeptToken>();
  readonly #stop: AbortController = new AbortController();
  readonly #stopped: Promise<void>;

  /** Starts to follow the keys at once. */
  constructor(options: JwtSvidClientOptions) {
    this.#options = options;
    this.#stopped = this.#followKeys();
  }

  /** By key id; undefined before the control plane has told them. */
  get publicKeys(): Watched<ReadonlyMap<string, KeyObject> | undefined> {
    return this.#publicKeys;
  }

  /**
   * A token of the own workload, one that was handed out before if at least half of its life is left.
   *
   * @throws GrpcStatusError when refused, JwtSvidAnswerError
   */
  mint(audience: readonly string[]): Promise<string> {
    const key = JSON.stringify(audience);
    const now = this.#options.clock.now().getTime();
    const known = this.#kept.get(key);
    if (known !== undefined && now < known.until) return known.token;
    const fresh: KeptToken = { token: this.#mint(audience, key), until: now + TIMEOUT_MS };
    this.#keep(key, fresh);
    return fresh.token;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#stopped;
  }

  #keep(key: string, token: KeptToken): void {
    this.#kept.delete(key);
    this.#kept.set(key, token);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT_TOKENS && oldest !== undefined) this.#kept.delete(oldest);
  }

  async #mint(audience: readonly string[], key: string): Promise<string> {
    const client = this.#connect();
    try {
      const { token, expiresAt } = await client.unary(
        JwtSvidService.method.mintJwtSvid,
        { audience: [...audience] },
        { timeoutMs: TIMEOUT_MS, signal: this.#stop.signal },
      );
      const end = instantOf(expiresAt)?.getTime();
      if (end === undefined || token === "" || token.length > MAX_JWT_SVID_CHARACTERS)
        throw new JwtSvidAnswerError("the control plane's answer holds no token");
      const now = this.#options.clock.now().getTime();
      const kept = this.#kept.get(key);
      if (kept !== undefined) kept.until = now + (end - now) / 2;
      return token;
    } catch (error) {
      this.#kept.delete(key);
      throw error;
    } finally {
      client.close();
    }
  }

  async #followKeys(): Promise<void> {
    const { log, random } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAt = performance.now();
      const problem = await this.#followOnce();
      if (performance.now() - startedAt >= SETTLED_MS) failures = 0;
      const delayMs = backoffDelay(failures, BACKOFF, random());
      if (signal.aborted) return;
      log.info("stream of JWT keys ended", { problem, retryInMs: Math.round(delayMs) });
      await delay(delayMs, undefined, { signal }).catch(() => undefined); // looked at above
    }
  }

  /** @returns why it ended */
  async #followOnce(): Promise<string> {
    const client = this.#connect();
    try {
      const { signal } = this.#stop;
      const answers = client.answers(JwtSvidService.method.watchJwtBundle, {}, { signal });
      for await (const { bundle } of answers)
        this.#publicKeys.set(parseJwtBundle(new TextDecoder().decode(bundle)));
      return "the control plane closed the stream";
    } catch (error) {
      return describeError(error);
    } finally {
      client.close();
    }
  }

  #connect(): GrpcClient {
    const { controlPlane, rootsPem, svid, serverName = CONTROL_PLANE_NAME } = this.#options;
    const { current } = svid;
    return new GrpcClient({
      address: controlPlane,
      serverName,
      rootsPem: rootsPem(),
      maxReceiveBytes: MAX_RECEIVE_BYTES,
      ...(current && {
        certificate: {
          chainPem: current.certificateChainPem,
          privateKeyPem: current.privateKeyPem,
        },
      }),
    });
  }
}
