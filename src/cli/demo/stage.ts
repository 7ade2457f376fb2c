/**
 * The example mesh as the demo's rows use it: give an order to a program, find what a sidecar wrote about it, change a
 * policy for a moment.
 */
import { copyFile, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { basename, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DataDirectory } from "../../local/data-directory.ts";
import type { LocalMesh } from "../../local/local-mesh.ts";
import type { SocketAddress, Workload } from "../../policy/workload.ts";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import type { StartedMesh } from "../start-mesh.ts";
import type { Actor, Callee } from "./actor.ts";
import { findLogLine, type LineSearch, type LogLine } from "./log-search.ts";
import { giveOrder, type Order, type Outcome } from "./order-client.ts";

/** How long a sidecar may take to write its log line. */
const LOG_PATIENCE_MS = 3_000;
/** Once a line did not come in that time, something is broken: later ones are not waited for as long. */
const BROKEN_PATIENCE_MS = 500;

/** How long the example's programs may take to listen. */
const LISTEN_PATIENCE_MS = 15_000;
const LOOK_AGAIN_MS = 20;

export class Stage {
  readonly #mesh: LocalMesh;
  readonly #data: DataDirectory;
  readonly #folder: string;
  #patienceMs = LOG_PATIENCE_MS;

  /** @param folder the files that the mesh runs from: a copy, which may be changed */
  constructor(
    { mesh, dataDirectory }: Pick<StartedMesh, "mesh" | "dataDirectory">,
    folder: string,
  ) {
    this.#mesh = mesh;
    this.#data = dataDirectory;
    this.#folder = folder;
  }

  get data(): DataDirectory {
    return this.#data;
  }

  /** Absolute path of the folder that the programs run in. */
  get folder(): string {
    return resolve(this.#folder);
  }

  /**
   * Resolves once every program of the example takes connections. A mesh is up when its programs have been started; on a
   * busy machine they take a moment longer to listen, and a call before that is not what a row is about.
   *
   * @throws Error when one does not in time
   */
  async programsListen(): Promise<void> {
    const deadline = performance.now() + LISTEN_PATIENCE_MS;
    for (const pod of this.#mesh.pods) {
      const { name, ports } = pod.plan.workload;
      for (const { application } of ports) {
        while (!(await takesConnections(() => pod.connect(application)))) {
          if (performance.now() > deadline)
            throw new Error(`the program of ${name} does not listen`);
          await delay(LOOK_AGAIN_MS);
        }
      }
    }
  }

  workload({ namespace, owner }: Actor): Workload {
    const found = this.#mesh.workloads.find(
      (workload) => workload.namespace === namespace && workload.owner === owner,
    );
    if (found === undefined) throw new Error(`the example has no workload ${namespace}/${owner}`);
    return found;
  }

  /** Whether a real Envoy stands where the actor's sidecar would: it words and keeps some things otherwise. */
  hasEnvoy(actor: Actor): boolean {
    const { uid } = this.workload(actor);
    const pod = this.#mesh.pods.find(({ plan }) => plan.workload.uid === uid);
    return pod?.plan.dataPlane === "envoy" && actor.serviceAccount !== undefined;
  }

  /** Where the callee's sidecar, or the callee itself when it has none, listens. */
  address(callee: Callee): { readonly host: string; readonly port: number } {
    const port = this.workload(callee).ports.find((one) => one.containerPort === callee.port);
    if (port === undefined) throw new Error(`${callee.owner} has no port ${callee.port}`);
    return hostAndPort(port.listen);
  }

  order(actor: Actor, order: Order): Promise<Outcome> {
    const workload = this.workload(actor);
    const pod = this.#mesh.pods.find(({ plan }) => plan.workload.uid === workload.uid);
    if (pod === undefined) throw new Error(`${actor.owner} does not run`);
    const connect = (address: SocketAddress): Socket => pod.connect(address);
    return giveOrder({ scratch: this.#data.scratch(workload), connect }, order);
  }

  accessEntry(
    actor: Actor,
    matches: (entry: AccessLogEntry) => boolean,
  ): Promise<AccessLogEntry | undefined> {
    return this.#find<AccessLogEntry>(actor, { file: "access.log", matches });
  }

  /** @param search.withinMs how long to wait for it, where it is not to be there at once */
  sidecarLine(
    actor: Actor,
    search: { readonly matches: (line: LogLine) => boolean; readonly withinMs?: number },
  ): Promise<LogLine | undefined> {
    return this.#find<LogLine>(actor, { file: "sidecar.log", ...search });
  }

  /** Puts a file of the example, in a folder that is not read, among those that are. */
  async addFile(path: string): Promise<void> {
    await copyFile(join(this.#folder, path), join(this.#folder, basename(path)));
  }

  /** Takes it away again. */
  async removeFile(path: string): Promise<void> {
    await rm(join(this.#folder, basename(path)), { force: true });
  }

  async #find<T extends AccessLogEntry | LogLine>(
    actor: Actor,
    search: Omit<LineSearch<T>, "withinMs"> & { readonly file: string; readonly withinMs?: number },
  ): Promise<T | undefined> {
    const file = join(this.#data.logs(this.workload(actor)), search.file);
    const found = await findLogLine<T>(file, { withinMs: this.#patienceMs, ...search });
    if (found === undefined) this.#patienceMs = BROKEN_PATIENCE_MS;
    return found;
  }
}

export function hostAndPort({ address, port }: SocketAddress): { host: string; port: number } {
  return { host: address, port };
}

function takesConnections(connect: () => Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect();
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
