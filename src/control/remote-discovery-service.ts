/**
 * Tells the control planes of other clusters which services are here, and where (CA-54). A workload has no business
 * with it: only a control plane under our roots, of a trust domain that is ours, is answered.
 */
import { clusterNameProblem } from "../api/remote-cluster.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { exportServices } from "../policy/export-services.ts";
import type { MeshSnapshot } from "../policy/mesh-snapshot.ts";
import { BoundedWarning } from "../runtime/bounded-warning.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { RemoteDiscovery } from "../wire/gen/hauberk/clusters/v1/remote_discovery_pb.ts";
import {
  type Caller,
  type GrpcService,
  grpcService,
  serverStreaming,
} from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { streamStates } from "../wire/stream-states.ts";
import { controlPlaneIdentity } from "./control-plane-svid.ts";
import { ProofLifetime } from "./proof-lifetime.ts";
import { writeRemoteServices } from "./remote-services-message.ts";
import { sameNameProblem } from "./same-cluster-name.ts";

/** More clusters than anybody has on one machine. */
const MAX_WATCHERS = 64;
/** Reasons that are told together; later on it is one a second. */
const STRANGERS_AT_ONCE = 32;

export interface RemoteDiscoveryOptions {
  /** What this mesh calls itself. */
  readonly cluster: string;
  readonly snapshots: Watched<MeshSnapshot>;
  readonly trust: Watched<AuthorityTrust>;
  readonly clock: Clock;
  readonly log: Log;
}

interface AdmissionOptions extends RemoteDiscoveryOptions {
  /** Tells of those who are refused. */
  readonly strangers: BoundedWarning;
}

export function remoteDiscoveryService(given: RemoteDiscoveryOptions): GrpcService {
  const { cluster: own, snapshots, log } = given;
  const message = "services refused: the caller is no control plane of ours";
  const strangers = new BoundedWarning(log, { message, atOnce: STRANGERS_AT_ONCE });
  const options: AdmissionOptions = { ...given, strangers };
  const responseOf = rememberingLast((snapshot: MeshSnapshot) => {
    const { trustDomain } = snapshot.settings;
    return writeRemoteServices(exportServices(snapshot), { cluster: own, trustDomain });
  });
  let watchers = 0;
  return grpcService(RemoteDiscovery, {
    watchServices: serverStreaming(async ({ request, caller, signal, send }) => {
      const { id, proof } = admit(caller, options);
      refuseName(request.cluster, { id, caller, options });
      if (watchers >= MAX_WATCHERS)
        throw new GrpcStatusError("RESOURCE_EXHAUSTED", `at most ${MAX_WATCHERS} watch`);
      watchers++;
      log.info("another cluster watches", { cluster: request.cluster, caller: id });
      try {
        const state = () => {
          verifyIdentity(id, { caller, options }); // aliases may have gone
          return responseOf(snapshots.current);
        };
        const until = AbortSignal.any([signal, proof.signal]);
        await streamStates(state, { changes: [snapshots], signal: until, send });
        proof.signal.throwIfAborted();
      } finally {
        watchers--;
        proof.close();
      }
    }, log),
  });
}

/** @throws GrpcStatusError if the caller is no control plane of ours */
function admit(
  caller: Caller,
  options: AdmissionOptions,
): { readonly id: SpiffeId; readonly proof: ProofLifetime } {
  const { certificate } = caller;
  if (certificate === undefined)
    throw refusal("there is no client certificate", { caller, options });
  let id: SpiffeId;
  try {
    id = spiffeIdOfCertificate(certificate);
  } catch (error) {
    throw refusal(describeError(error), { caller, options });
  }
  verifyIdentity(id, { caller, options });
  return { id, proof: new ProofLifetime(certificate, options) };
}

interface Conversation {
  readonly caller: Caller;
  readonly options: AdmissionOptions;
}

/** CA-55 */
function verifyIdentity(id: SpiffeId, conversation: Conversation): void {
  const { trustDomain, trustDomainAliases } = conversation.options.snapshots.current.settings;
  const accepted = [trustDomain, ...trustDomainAliases].map(controlPlaneIdentity);
  if (accepted.includes(id)) return;
  throw refusal(`${id} is not one of ${accepted.join(", ")}`, conversation);
}

/** The log says why; the caller learns that it is none of those who may ask. */
function refusal(reason: string, { caller, options }: Conversation): GrpcStatusError {
  options.strangers.warn({ remote: caller.remoteAddress, reason });
  return new GrpcStatusError(
    "PERMISSION_DENIED",
    "a control plane of this mesh's trust is required",
  );
}

function refuseName(
  cluster: string,
  { id, caller, options }: Conversation & { readonly id: SpiffeId },
): void {
  const problem = clusterNameProblem(cluster);
  if (problem !== undefined) throw new GrpcStatusError("INVALID_ARGUMENT", `cluster: ${problem}`);
  if (cluster !== options.cluster) return;
  const remote = caller.remoteAddress;
  const details = sameNameProblem(cluster);
  options.log.warn("services refused", { caller: id, remote, reason: details });
  throw new GrpcStatusError("FAILED_PRECONDITION", details);
}

function rememberingLast<I, O>(compute: (input: I) => O): (input: I) => O {
  let last: { readonly input: I; readonly output: O } | undefined;
  return (input) => {
    if (last?.input !== input) last = { input, output: compute(input) };
    return last.output;
  };
}
