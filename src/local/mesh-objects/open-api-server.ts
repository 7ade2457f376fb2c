/** Opens the Kubernetes API of a running mesh, and tells kubectl where it is. */
import { join } from "node:path";
import { API_AUDIENCE, MAX_TOKEN_LIFETIME_MS } from "../../ca/service-account-tokens.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import { newAccessToken } from "../api-server/access/access-token.ts";
import { type KubeconfigEntry, writeKubeconfig } from "../api-server/access/kubeconfig.ts";
import { issueServingCertificate } from "../api-server/access/serving-certificate.ts";
import {
  SharedKubeconfig,
  sharedKubeconfigFolder,
} from "../api-server/access/shared-kubeconfig.ts";
import { startApiServer } from "../api-server/api-server.ts";
import type { ObjectStore } from "../api-server/objects/object-store.ts";
import type { PodStreams } from "../api-server/rest/pod-streams.ts";
import type { IssueToken } from "../api-server/rest/token-request.ts";
import type { DataDirectory } from "../data-directory.ts";
import { folderOf } from "../folder-of.ts";
import type { LocalMesh } from "../local-mesh.ts";
import type { ApiServerPlace } from "../network/host-side.ts";

const LOOPBACK = "127.0.0.1";

export interface ApiServerSettings {
  readonly store: ObjectStore;
  readonly mesh: LocalMesh;
  readonly dataDirectory: DataDirectory;
  /** What the mesh calls itself: the name of its context. */
  readonly cluster: string;
  /** Where others offer it; absent: it listens on any free port of loopback itself. */
  readonly place: ApiServerPlace | undefined;
  readonly streams?: PodStreams;
  readonly clock: Clock;
  readonly log: Log;
  readonly environment: NodeJS.ProcessEnv;
}

export interface OpenApiServer {
  /** For `KUBECONFIG`; only its user may read it. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** @throws ListenError */
export async function openApiServer(settings: ApiServerSettings): Promise<OpenApiServer> {
  const { store, mesh, dataDirectory, cluster, place, clock, log, streams } = settings;
  const certificate = issueServingCertificate(clock);
  const token = newAccessToken();
  const server = await startApiServer({
    store,
    address: LOOPBACK,
    port: place?.port ?? 0,
    socketPath: place?.socketPath,
    certificate,
    token,
    log,
    issueToken: tokensOf(mesh, clock),
    ...(streams && { streams }),
  });
  const port = place?.port ?? server.port;
  const entry: KubeconfigEntry = {
    name: cluster,
    server: `https://${LOOPBACK}:${port}`,
    authorityPem: certificate.authorityPem,
    token,
  };
  const kubeconfig = join(dataDirectory.path, "kubeconfig");
  await writeKubeconfig(kubeconfig, entry).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const shared = new SharedKubeconfig(sharedKubeconfigFolder(settings.environment));
  const shown = place === undefined ? [] : mesh.resources.map(({ meta }) => folderOf(meta.source));
  await shared
    .add(entry, dataDirectory.path, [...new Set(shown)])
    .then(() => tellWhoSees(dataDirectory.path, { shared, log }))
    .catch((error: unknown) => log.warn("no shared kubeconfig", { problem: describeError(error) }));
  return {
    kubeconfig,
    async close() {
      await server.close();
      await shared
        .remove(cluster, dataDirectory.path)
        .catch((error: unknown) =>
          log.warn("shared kubeconfig", { problem: describeError(error) }),
        );
    },
  };
}

/** Containers that run already cannot be made to see less: those that start later are shown nothing of it. */
async function tellWhoSees(
  path: string,
  { shared, log }: { readonly shared: SharedKubeconfig; readonly log: Log },
): Promise<void> {
  const meshes = await shared.showing(path);
  if (meshes.length === 0) return;
  log.warn(
    "pods of another mesh that started before can read this data directory, with all keys in it; start that mesh anew, or choose another folder with --data",
    { mesh: meshes.join(", "), dataDirectory: path },
  );
}

/** None lives longer than an hour, whatever is asked for. */
function tokensOf(mesh: LocalMesh, clock: Clock): IssueToken {
  return async ({ namespace, serviceAccount, audiences: wanted, lifetimeMs: wish, boundTo }) => {
    const audiences = wanted.length === 0 ? [API_AUDIENCE] : wanted;
    const lifetimeMs = Math.min(wish, MAX_TOKEN_LIFETIME_MS);
    const pod = boundTo?.kind === "Pod" ? boundTo : undefined;
    const issue = { namespace, serviceAccount, audiences, lifetimeMs, pod };
    const token = await mesh.issueAccountToken(issue);
    return { token, audiences, expiresAt: new Date(clock.now().getTime() + lifetimeMs) };
  };
}
