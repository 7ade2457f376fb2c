/** What an intruder in a pod is told, so that it need not guess: addresses, paths and process ids of the whole mesh. */
import { readdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { DataDirectory } from "../../local/data-directory.ts";
import { readMeshState, readStateFile } from "../../local/mesh-state.ts";
import type { IpAddresses, Workload } from "../../policy/workload.ts";
import type { Actor } from "./actor.ts";
import { API, COMPROMISED, DATABASE, FRONTEND, INGRESS } from "./production-actors.ts";

export interface AttackAims {
  /** Of the intruder's own pod, and of those it is after. */
  readonly own: IpAddresses;
  readonly api: IpAddresses;
  readonly database: IpAddresses;
  readonly frontend: IpAddresses;
  readonly dataDirectory: string;
  /** Files and folders in it that no pod may see. */
  readonly secrets: readonly string[];
  /** Unix sockets of the supervisor, and of the process that stays on the host. */
  readonly meshSocket: string;
  readonly gateSockets: readonly string[];
  /** Of the supervisor, the control plane, the gateway, and of every pod's processes. */
  readonly processIds: readonly number[];
  /** Folder of the manifests, which the intruder's program runs from. */
  readonly manifests: string;
  readonly home: string;
  /** Of the host's loopback, where anybody on the host is let in; behind it is the ingress. */
  readonly hostPort: number;
}

const INGRESS_PORT = `host/${INGRESS.namespace}/${INGRESS.owner}:${INGRESS.port}`;

/**
 * @param where.home of the user that the mesh runs as
 * @throws Error when no mesh with the actors of `examples/production` runs there
 */
export async function readAttackAims(
  data: DataDirectory,
  { manifests, home = homedir() }: { readonly manifests: string; readonly home?: string },
): Promise<AttackAims> {
  const state = await readMeshState(data.meshState);
  if (state === undefined) throw new Error("no mesh runs there");
  const workload = (actor: Actor): Workload => {
    const found = state.workloads.find(
      ({ namespace, owner }) => namespace === actor.namespace && owner === actor.owner,
    );
    if (found === undefined) throw new Error(`there is no ${actor.namespace}/${actor.owner}`);
    return found;
  };
  const addresses = (actor: Actor): IpAddresses => {
    const found = workload(actor).addresses;
    if (found === undefined) throw new Error(`${actor.owner} has no addresses of its own`);
    return found;
  };
  return {
    own: addresses(COMPROMISED),
    api: addresses(API),
    database: addresses(DATABASE),
    frontend: addresses(FRONTEND),
    dataDirectory: data.path,
    secrets: secretsOf(data, workload(API)),
    meshSocket: state.socket,
    gateSockets: gateSockets(),
    processIds: [state.supervisor, ...state.processes].map(({ processId }) => processId),
    manifests,
    home,
    hostPort: await hostPort(data),
  };
}

async function hostPort(data: DataDirectory): Promise<number> {
  const ports = (await readStateFile(data.ports)) as Readonly<Record<string, number>> | undefined;
  const port = ports?.[INGRESS_PORT];
  if (port === undefined) throw new Error("the ingress is not offered on the host");
  return port;
}

function secretsOf(data: DataDirectory, pod: Workload): readonly string[] {
  const names = ["ca/ca-key.pem", "service-account/private.pem", "ports.json"];
  return [
    ...names.map((name) => join(data.path, name)),
    data.meshState,
    data.lock,
    data.controlPlaneLog,
    join(data.pod(pod), "service-account", "token"),
    ...["ca", "service-account", "pods", "logs", "network"].map((name) => join(data.path, name)),
  ];
}

/** Of this mesh and of any other of the user's. */
function gateSockets(): readonly string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith("hauberk-gate-"))
    .flatMap((name) =>
      ["egress.sock", "ingress.sock"].map((socket) => join(tmpdir(), name, socket)),
    );
}
