/** What the supervisor of the running mesh and its control plane say of it, put together. */
import type { ControlReply, ControlRequest } from "../control/control-socket-messages.ts";
import type { KeySetFacts } from "../control/key-sets/key-set-facts.ts";
import { askControlPlane, ControlPlaneAwayError } from "../local/control-plane-client.ts";
import type { DataDirectory } from "../local/data-directory.ts";
import { MeshClient, NoMeshError } from "../local/joining/mesh-client.ts";
import type { MeshStatus } from "../local/mesh-status.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";

/** @throws NoMeshError */
export async function askMeshStatus(dataDirectory: DataDirectory): Promise<MeshStatus> {
  return withControlPlane(await askSupervisor(dataDirectory), dataDirectory);
}

async function askSupervisor(dataDirectory: DataDirectory): Promise<MeshStatus> {
  const client = await MeshClient.connect(dataDirectory);
  try {
    const reply = await client.ask({ type: "status" });
    if (reply.type === "status") return reply.status;
    const problem = reply.type === "refused" ? reply.problem : reply.type;
    throw new NoMeshError(`the mesh does not tell its status: ${problem}`);
  } finally {
    client.close();
  }
}

/** Whoever asks how a mesh does waits for the answer; what is asked is at hand, so that silence says enough. */
const PATIENCE_MS = 2_500;

/** As many as the control plane answers for at once. */
const MAX_SOURCES = 64;

/** Keys that are being fetched for the first time are no trouble yet. */
function missingKeys({ source, fetchedAt, problem }: KeySetFacts): readonly string[] {
  if (fetchedAt !== undefined || problem === undefined) return [];
  return [`tokens are refused whose keys are never fetched, from ${source}: ${problem}`];
}

/** Certificates and other meshes are the control plane's business: it is asked itself, as long as it runs. */
async function withControlPlane(
  mesh: MeshStatus,
  dataDirectory: DataDirectory,
): Promise<MeshStatus> {
  if (mesh.controlPlane.phase !== "running") return mesh;
  const ask = (request: ControlRequest): Promise<ControlReply> =>
    askControlPlane(dataDirectory, request, { patienceMs: PATIENCE_MS });
  try {
    const sources = (mesh.tokenKeySources ?? []).slice(0, MAX_SOURCES);
    const [authorities, others, keys] = await Promise.all([
      ask({ type: "ca-status" }),
      ask({ type: "remote-clusters" }),
      ask({ type: "token-keys", sources }),
    ]);
    return {
      ...mesh,
      ...(authorities.type === "ca-status" && {
        certificateWarnings: authorities.status.warnings,
      }),
      ...(keys.type === "token-keys" && { missingTokenKeys: keys.sets.flatMap(missingKeys) }),
      ...(others.type === "remote-clusters" && { remoteClusters: others.overview }),
    };
  } catch (error) {
    if (error instanceof ControlPlaneAwayError)
      return { ...mesh, controlPlaneAway: describeError(error) };
    if (error instanceof HauberkError)
      return { ...mesh, certificateWarnings: [describeError(error)] };
    throw error;
  }
}
