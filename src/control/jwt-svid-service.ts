/** Mints JWT-SVIDs for callers that prove themselves by certificate, each for itself; and tells everybody the keys. */
import type { X509Certificate } from "node:crypto";
import type { AuthenticateCaller } from "../ca/caller.ts";
import type { JwtAuthority } from "../ca/jwt-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { audienceProblem } from "../identity/jwt-audience.ts";
import { printJwtBundle } from "../identity/jwt-bundle.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { JwtSvidService } from "../wire/gen/hauberk/identity/v1/jwt_svid_pb.ts";
import {
  type Caller,
  type GrpcService,
  grpcService,
  serverStreaming,
  unary,
} from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { streamStates } from "../wire/stream-states.ts";
import { timestampOf } from "../wire/timestamp.ts";
import { ProofLifetime } from "./proof-lifetime.ts";

/** For one identity; sidecars keep what they got, so that more is a mistake or worse. */
const MAX_MINTED_PER_SECOND = 20;
const SECOND_MS = 1_000;
/** Reasons that are told together; later on it is one a second. */
const STRANGERS_AT_ONCE = 32;

export interface JwtSvidServiceOptions {
  readonly authority: Pick<JwtAuthority, "mint" | "publicKeys">;
  readonly authenticate: AuthenticateCaller;
  /** By which a certificate is good, and its stream goes on. */
  readonly trust: Watched<AuthorityTrust>;
  readonly clock: Clock;
  readonly log: Log;
}

export function jwtSvidService(options: JwtSvidServiceOptions): GrpcService {
  const { authority, log } = options;
  const rate = new MintingRate(options.clock);
  const message = "JWT-SVID refused: caller not authenticated";
  const strangers = new BoundedWarning(log, { message, atOnce: STRANGERS_AT_ONCE });
  const authentication = { ...options, strangers };
  return grpcService(JwtSvidService, {
    mintJwtSvid: unary(async ({ audience }, caller) => {
      const { id } = await authenticated(caller, authentication);
      const problem = audienceProblem(audience);
      if (problem !== undefined) throw new GrpcStatusError("INVALID_ARGUMENT", problem);
      if (rate.take(id) === "spent")
        throw new GrpcStatusError("RESOURCE_EXHAUSTED", "too many tokens were asked for");
      const { token, expiresAt } = await authority.mint(id, audience);
      log.info("JWT-SVID signed", {
        id,
        audience: audience.join(" "),
        expiresAt: expiresAt.toISOString(),
        remote: caller.remoteAddress,
      });
      return { token, expiresAt: timestampOf(expiresAt) };
    }, log),
    watchJwtBundle: serverStreaming(async ({ caller, signal, send }) => {
      const { certificate } = await authenticated(caller, authentication);
      const proof = new ProofLifetime(certificate, options);
      const until = AbortSignal.any([signal, proof.signal]);
      try {
        await streamStates(
          () => ({
            bundle: new TextEncoder().encode(printJwtBundle(authority.publicKeys.current)),
          }),
          { changes: [authority.publicKeys], signal: until, send },
        );
        proof.signal.throwIfAborted();
      } finally {
        proof.close();
      }
    }, log),
  });
}

/** A token would do for a certificate; for a token only a certificate does. */
async function authenticated(
  caller: Caller,
  {
    authenticate,
    strangers,
  }: Pick<JwtSvidServiceOptions, "authenticate"> & { readonly strangers: BoundedWarning },
): Promise<{ readonly id: SpiffeId; readonly certificate: X509Certificate }> {
  const { certificate } = caller;
  let reason = "a client certificate is needed";
  try {
    const { id, by } = await authenticate(caller);
    if (by === "certificate" && certificate !== undefined) return { id, certificate };
  } catch (error) {
    reason = describeError(error);
  }
  strangers.warn({ remote: caller.remoteAddress, reason });
  throw new GrpcStatusError("UNAUTHENTICATED", "request authenticate failure");
}

/** So many a second for each identity; forgets all of them every second. */
class MintingRate {
  readonly #clock: Clock;
  readonly #taken = new Map<string, number>();
  #second = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(id: SpiffeId): "granted" | "spent" {
    const second = Math.floor(this.#clock.now().getTime() / SECOND_MS);
    if (second !== this.#second) this.#taken.clear();
    this.#second = second;
    const taken = this.#taken.get(id) ?? 0;
    this.#taken.set(id, taken + 1);
    return taken < MAX_MINTED_PER_SECOND ? "granted" : "spent";
  }
}
