/**
 * The SPIFFE Workload API of one pod, on a Unix socket: its workload gets its own certificate and key from here, its
 * tokens, and what it needs to verify others. Whoever may open the socket is the workload; nobody else can.
 */

import { audienceProblem } from "../identity/jwt-audience.ts";
import { printJwtBundle } from "../identity/jwt-bundle.ts";
import { type JwtAuthorities, JwtSvidError, validateJwtSvid } from "../identity/jwt-svid.ts";
import type { JwtSvidClient } from "../identity/jwt-svid-client.ts";
import { trustDomainOf } from "../identity/spiffe-id.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { Trust, WorkloadView } from "../policy/workload-view.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { SpiffeWorkloadAPI } from "../wire/gen/spiffe/workload/workload_pb.ts";
import {
  type Caller,
  type GrpcService,
  grpcService,
  serverStreaming,
  unary,
} from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { structOf } from "../wire/json-struct.ts";
import { type StateStream, streamStates } from "../wire/stream-states.ts";
import { startUnixGrpcServer, type UnixGrpcServer } from "../wire/unix-grpc-server.ts";
import { x509Answer, x509Bundles } from "./workload-api-answers.ts";
import type { WorkloadCallers } from "./workload-callers.ts";

/** A token and an audience are the largest things a client sends. */
const MAX_RECEIVE_BYTES = 131_072;
const MAX_CONNECTIONS = 64;
const MAX_STREAMS_PER_CONNECTION = 32;
/** Of all connections together. */
const MAX_STREAMS = 256;
/** Keeps web pages and the like from being led to call (SPIFFE Workload Endpoint section 4). */
const REQUIRED_HEADER = "workload.spiffe.io";

export interface WorkloadApiOptions {
  /** Of the socket's file. */
  readonly path: string;
  readonly access: "owner" | "group";
  /** Where others can open the file too: who of them is the workload. */
  readonly callers?: Pick<WorkloadCallers, "admit"> | undefined;
  readonly svid: Watched<X509Svid | undefined>;
  readonly views: Watched<WorkloadView | undefined>;
  readonly jwt: Pick<JwtSvidClient, "mint" | "publicKeys">;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws ListenError */
export async function startWorkloadApi(options: WorkloadApiOptions): Promise<UnixGrpcServer> {
  const { path, access, log, callers } = options;
  return startUnixGrpcServer({
    path,
    access,
    log,
    admit: callers && ((socket) => callers.admit(socket)),
    services: [workloadApiService(options)],
    maxReceiveBytes: MAX_RECEIVE_BYTES,
    maxConnections: MAX_CONNECTIONS,
    maxStreamsPerConnection: MAX_STREAMS_PER_CONNECTION,
  });
}

function workloadApiService(options: WorkloadApiOptions): GrpcService {
  const { svid, views, jwt, log } = options;
  const limit = new StreamLimit();
  const follow = <O>(state: () => O | undefined, ...changes: Watched<unknown>[]) =>
    serverStreaming(async ({ caller, signal, send }: StateCall<O>) => {
      requireHeader(caller);
      await limit.hold(() => streamStates(state, { changes, signal, send }));
    }, log);
  return grpcService(SpiffeWorkloadAPI, {
    fetchX509SVID: follow(
      () => svid.current && views.current && x509Answer(svid.current, views.current.trust),
      svid,
      views,
    ),
    fetchX509Bundles: follow(() => views.current && x509Bundles(views.current.trust), views),
    fetchJWTBundles: follow(() => jwtBundles(options), jwt.publicKeys, views),
    fetchJWTSVID: unary((request, caller) => fetchToken(request, { caller, ...options }), log),
    validateJWTSVID: unary((request, caller) => validate(request, { caller, ...options }), log),
  });
}

type StateCall<O> = Pick<StateStream<O>, "signal" | "send"> & { readonly caller: Caller };
type UnaryContext = WorkloadApiOptions & { readonly caller: Caller };

/** Of streams, which stay open; what comes and goes is bounded by each connection. */
class StreamLimit {
  #open = 0;

  async hold(serve: () => Promise<void>): Promise<void> {
    if (this.#open >= MAX_STREAMS)
      throw new GrpcStatusError("RESOURCE_EXHAUSTED", "too many streams are open");
    this.#open++;
    try {
      await serve();
    } finally {
      this.#open--;
    }
  }
}

function requireHeader(caller: Caller): void {
  const [value, ...others] = caller.headers(REQUIRED_HEADER);
  if (value === "true" && others.length === 0) return;
  throw new GrpcStatusError(
    "INVALID_ARGUMENT",
    `the metadata ${REQUIRED_HEADER}: true is required`,
  );
}

async function fetchToken(
  request: { readonly audience: readonly string[]; readonly spiffeId: string },
  { caller, svid, jwt }: UnaryContext,
): Promise<{ svids: { spiffeId: string; svid: string }[] }> {
  requireHeader(caller);
  const problem = audienceProblem(request.audience);
  if (problem !== undefined) throw new GrpcStatusError("INVALID_ARGUMENT", problem);
  const id = svid.current?.id;
  if (id === undefined) throw new GrpcStatusError("UNAVAILABLE", "there is no identity yet");
  if (request.spiffeId !== "" && request.spiffeId !== id)
    throw new GrpcStatusError("PERMISSION_DENIED", "the workload has no such identity");
  try {
    return { svids: [{ spiffeId: id, svid: await jwt.mint(request.audience) }] };
  } catch (cause) {
    throw new GrpcStatusError("UNAVAILABLE", "the control plane issues no token now", { cause });
  }
}

async function validate(
  { audience, svid: token }: { readonly audience: string; readonly svid: string },
  { caller, clock, ...context }: UnaryContext,
): Promise<{ spiffeId: string; claims: ReturnType<typeof structOf> }> {
  requireHeader(caller);
  if (token === "") throw new GrpcStatusError("INVALID_ARGUMENT", "the token must be given");
  const problem = audienceProblem([audience]);
  if (problem !== undefined) throw new GrpcStatusError("INVALID_ARGUMENT", problem);
  const bundles = jwtAuthorities(context);
  if (bundles === undefined) throw new GrpcStatusError("UNAVAILABLE", "there are no keys yet");
  try {
    const now = clock.now();
    const { id, claims } = await validateJwtSvid(token, { audience: [audience], bundles, now });
    return { spiffeId: id, claims: structOf(claims) };
  } catch (error) {
    if (!(error instanceof JwtSvidError)) throw error;
    throw new GrpcStatusError("INVALID_ARGUMENT", error.message);
  }
}

type KnownKeys = Pick<WorkloadApiOptions, "svid" | "views" | "jwt">;

function jwtAuthorities({ svid, views, jwt }: KnownKeys): JwtAuthorities | undefined {
  const trustDomain = ownTrustDomain(svid.current, views.current?.trust);
  const keys = jwt.publicKeys.current;
  return trustDomain === undefined || keys === undefined
    ? undefined
    : new Map([[trustDomain, keys]]);
}

function jwtBundles(known: KnownKeys): { bundles: Record<string, Uint8Array> } | undefined {
  const authorities = jwtAuthorities(known);
  if (authorities === undefined) return undefined;
  const printed = [...authorities].map(
    ([trustDomain, keys]) =>
      [`spiffe://${trustDomain}`, new TextEncoder().encode(printJwtBundle(keys))] as const,
  );
  return { bundles: Object.fromEntries(printed) };
}

/** As it stands in identities, which has no `@` (CA-17). */
function ownTrustDomain(svid: X509Svid | undefined, trust: Trust | undefined): string | undefined {
  return svid === undefined ? trust?.trustDomain.replaceAll("@", ".") : trustDomainOf(svid.id);
}
