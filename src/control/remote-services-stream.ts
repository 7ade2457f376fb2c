/** One connection to another control plane, for as long as it lasts: whom it must be, and what it says, each time whole. */
import { formatServer, type RemoteCluster } from "../api/remote-cluster.ts";
import { CONTROL_PLANE_NAME } from "../identity/certificate-client.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { ExportedService } from "../policy/exported-services.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import {
  RemoteDiscovery,
  type WatchServicesResponse,
} from "../wire/gen/hauberk/clusters/v1/remote_discovery_pb.ts";
import { GrpcClient } from "../wire/grpc-client.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import { serverProblem } from "./judge-server.ts";
import { readRemoteServices } from "./remote-services-message.ts";
import { sameNameProblem } from "./same-cluster-name.ts";

/** Another cluster does not answer, or not as the one that was asked for; the message says it in words. */
export class RemoteClusterError extends HauberkError {
  readonly code = "HAUBERK_REMOTE_CLUSTER";
}

export interface RemoteServicesStreamOptions {
  /** Whom to ask, and as whom it must answer. */
  readonly resource: RemoteCluster;
  /** What this mesh calls itself, and where its identities are. */
  readonly own: { readonly cluster: string; readonly trustDomain: string };
  /** Shown to the other side. */
  readonly svid: X509Svid;
  /** That the other side must chain to. */
  readonly rootsPem: readonly string[];
  /** How long the first message may take, in milliseconds. */
  readonly firstAnswerMs: number;
  /** Longest message, in bytes. */
  readonly messageBytes: number;
  readonly signal: AbortSignal;
}

/**
 * All services of the other cluster, and again whenever they have changed.
 *
 * @throws RemoteClusterError
 */
export async function* remoteServices(
  options: RemoteServicesStreamOptions,
): AsyncGenerator<readonly ExportedService[]> {
  const { resource, own, svid, rootsPem, firstAnswerMs, messageBytes } = options;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), firstAnswerMs);
  const client = new GrpcClient({
    address: formatServer(resource.server),
    serverName: CONTROL_PLANE_NAME,
    rootsPem,
    certificate: { chainPem: svid.certificateChainPem, privateKeyPem: svid.privateKeyPem },
    maxReceiveBytes: messageBytes,
  });
  const signal = AbortSignal.any([options.signal, silence.signal]);
  let stage: Stage = "connecting";
  try {
    const { watchServices } = RemoteDiscovery.method;
    for await (const response of client.answers(
      watchServices,
      { cluster: own.cluster },
      { signal },
    )) {
      clearTimeout(timer);
      stage = "answered";
      yield readResponse(response, options);
    }
  } catch (error) {
    if (silence.signal.aborted)
      throw new RemoteClusterError(`no answer within ${firstAnswerMs / 1000} s`);
    throw await inWords(error, { ...options, stage });
  } finally {
    clearTimeout(timer);
    silence.abort(); // ends a call whose answers nobody wants any more
    client.close();
  }
}

type Stage = "connecting" | "answered";

/** @throws RemoteClusterError, InvalidRemoteServicesError */
function readResponse(
  response: WatchServicesResponse,
  { resource, own }: RemoteServicesStreamOptions,
): readonly ExportedService[] {
  const { name } = resource.meta;
  const domain = resource.trustDomain ?? own.trustDomain;
  if (response.cluster === own.cluster) throw new RemoteClusterError(sameNameProblem(own.cluster));
  if (response.cluster !== name)
    throw new RemoteClusterError(
      `it calls itself ${JSON.stringify(response.cluster)}; expected ${JSON.stringify(name)}, the name of the RemoteCluster`,
    );
  if (response.trustDomain !== domain)
    throw new RemoteClusterError(
      `its trust domain is ${JSON.stringify(response.trustDomain)}; expected ${JSON.stringify(domain)}, the trustDomain of the RemoteCluster`,
    );
  return readRemoteServices(response);
}

async function inWords(
  error: unknown,
  options: RemoteServicesStreamOptions & { readonly stage: Stage },
): Promise<Error> {
  if (!(error instanceof GrpcStatusError))
    return error instanceof Error ? error : new RemoteClusterError(describeError(error));
  return new RemoteClusterError(await statusInWords(error, options));
}

async function statusInWords(
  { status, message }: GrpcStatusError,
  { resource, svid, rootsPem, signal, stage }: Parameters<typeof inWords>[1],
): Promise<string> {
  switch (status) {
    case "PERMISSION_DENIED":
      return `it does not take ${svid.id} for a control plane of its trust; its log says why`;
    case "UNAVAILABLE":
      if (stage === "answered" || signal.aborted) return "the connection was lost";
      return await serverProblem({ ...resource.server, rootsPem });
    case "CANCELLED":
      return "the other control plane ended the stream";
    default:
      return message;
  }
}
