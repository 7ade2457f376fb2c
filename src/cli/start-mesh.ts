/** What `up` and `demo` share: read the user's files, say what is wrong with them, run the mesh, tell its story. */

import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { DEFAULT_CLUSTER_NAME } from "../api/remote-cluster.ts";
import type { Issue, Resource } from "../api/resource.ts";
import { controlPlaneFlags } from "../control/control-plane-flags.ts";
import type { ControlPlaneSettings } from "../control/control-plane-messages.ts";
import { type DirectorySource, watchResourceFiles } from "../control/directory-source.ts";
import { type ReadTexts, readTexts } from "../control/resource-files.ts";
import { sharedKubeconfigFolder } from "../local/api-server/access/shared-kubeconfig.ts";
import { SERVED_KINDS } from "../local/api-server/kinds/served-kinds.ts";
import { DataDirectory } from "../local/data-directory.ts";
import { MeshSocket } from "../local/joining/mesh-socket.ts";
import { LocalMesh, type LocalMeshOptions } from "../local/local-mesh.ts";
import type { MeshEvent } from "../local/mesh-event.ts";
import { BoundMesh } from "../local/mesh-objects/bound-mesh.ts";
import { CacertsSecret } from "../local/mesh-objects/cacerts-secret.ts";
import { KeptObjects } from "../local/mesh-objects/kept-objects.ts";
import { MeshHistory } from "../local/mesh-objects/mesh-history.ts";
import { MeshObjects } from "../local/mesh-objects/mesh-objects.ts";
import { openApiServer } from "../local/mesh-objects/open-api-server.ts";
import {
  NamespaceNetwork,
  type NamespaceNetworkOptions,
} from "../local/network/namespace-network.ts";
import { LocalPodStreams } from "../local/pod-streams/local-pod-streams.ts";
import type { DataPlane } from "../local/pods/data-plane.ts";
import { noticesBeside } from "../policy/unenforced-resources.ts";
import { unreachableRemoteClusters } from "../policy/unreachable-remote-clusters.ts";
import { systemClock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { createLog, type Log, silentLog } from "../runtime/log.ts";
import { answerAsEnvoy } from "./answer-as-envoy.ts";
import type { EnteredNetwork } from "./enter-network.ts";
import { envoyFinder } from "./find-envoy.ts";
import { formatIssue, formatNotice } from "./format-issue.ts";
import { formatMeshEvent } from "./format-mesh-event.ts";
import { linkIstioctl } from "./istioctl-link.ts";
import { noticesOf } from "./load-mesh.ts";
import type { Print } from "./print-line.ts";
import { PROTECTION } from "./protection.ts";
import { tellCall } from "./tell-call.ts";

export interface StartedMesh {
  readonly mesh: LocalMesh;
  readonly dataDirectory: DataDirectory;
  /** Seconds since the first line was printed. */
  seconds(): number;
  close(): Promise<void>;
}

export interface MeshToStart {
  readonly file: readonly string[];
  /** As `enterNetwork` made it. */
  readonly data: string;
  readonly network: Exclude<EnteredNetwork, { mode: "ran-inside" }>;
  readonly controlPlane?: ControlPlaneSettings | undefined;
  /** Of pods whose annotations say nothing; absent: our own. */
  readonly proxy?: DataPlane | undefined;
  /** Path of Envoy's program; absent: as `HAUBERK_ENVOY` or the PATH has it. */
  readonly envoy?: string | undefined;
  /** What is said of an event, where that is not all. */
  readonly tell?: (event: MeshEvent) => readonly string[];
}

/**
 * @returns undefined when the files have issues; they have been printed, and nothing was started
 * @throws FlagError
 */
export async function startMesh(
  {
    file: paths,
    data,
    network: entered,
    controlPlane,
    proxy: dataPlane,
    envoy,
    tell = formatMeshEvent,
  }: MeshToStart,
  print: Print,
): Promise<StartedMesh | undefined> {
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  print(`hauberk up: reading ${describePaths(paths)}`);
  controlPlaneFlags(process.env); // the control plane reads them again: what is wrong is told before anything starts
  const dataDirectory = new DataDirectory(data);
  const objects = await MeshObjects.open({
    kinds: SERVED_KINDS,
    kept: new KeptObjects(dataDirectory.objects),
    history: new MeshHistory(dataDirectory.history, print),
    clock: systemClock,
    folder: process.cwd(),
    judge: judgeOf(entered.mode),
    noticesOf: (parsed) => noticesOf(parsed, { mode: entered.mode }),
    report: print,
  });
  const read = await readTexts(paths);
  const { issues, notices } = objects.offerFiles(read);
  for (const notice of noticesBeside(notices, issues)) print(formatNotice(notice));
  if (issues.length > 0) {
    for (const issue of issues) print(formatIssue(issue));
    const faults = issues.length === 1 ? "1 fault" : `${issues.length} faults`;
    print(`${faults}; nothing was started`);
    return undefined;
  }
  print(PROTECTION[entered.mode]);
  // The file itself: `npx` leads to it by a link in a folder that only this user can read, and sidecars may be others.
  const hauberkCommand = [
    process.execPath,
    ...process.execArgv,
    realpathSync(process.argv[1] ?? ""),
  ] satisfies LocalMeshOptions["hauberkCommand"];
  const cacerts = new CacertsSecret(join(dataDirectory.path, "cacerts"), objects.store);
  await cacerts.write();
  const network = await openNetwork(entered, {
    dataDirectory,
    hauberkCommand,
    cacerts: controlPlane?.cacerts,
    log: silentInfo(print),
  });
  const options: LocalMeshOptions = {
    cacerts: () => cacerts.folder,
    dataDirectory,
    hauberkCommand,
    network,
    controlPlane,
    dataPlane,
    envoy: envoyFinder(envoy, process.env),
    clock: systemClock,
    random: Math.random,
    report: (event) => {
      for (const line of tell(event)) print(`[${seconds().toFixed(1)} s] ${line}`);
    },
  };
  const mesh = await LocalMesh.start(options, objects.written.current);
  const opened = new Opened();
  opened.add(() => mesh.close().then(() => objects.settled()));
  try {
    const socket = await openSocket(mesh, dataDirectory.socket);
    opened.add(() => socket.close());
    objects.begin();
    const told = { mesh, objects, known: new Set(notices.map(formatNotice)), print, seconds };
    const bound = bindObjects(told);
    opened.add(() => bound.close());
    opened.add(cacerts.follow((error) => print(`cacerts: ${describeError(error)}`)));
    const tellRefusal = (problem: string): void => bound.tellRefusal(problem);
    const source = followFiles(paths, { ...told, read, tellRefusal });
    opened.add(() => source.close());
    const log = silentInfo(print);
    const streams = new LocalPodStreams({
      mesh,
      dataDirectory,
      clock: systemClock,
      tellCall,
      answerAsEnvoy,
      log,
    });
    opened.add(() => streams.close());
    const api = await openApiServer({
      store: objects.store,
      streams,
      mesh,
      dataDirectory,
      cluster: controlPlane?.cluster ?? DEFAULT_CLUSTER_NAME,
      place: entered.mode === "namespaces" ? entered.host.apiServer : undefined,
      clock: systemClock,
      log,
      environment: process.env,
    });
    opened.add(() => api.close());
    const bin = await linkIstioctl(dataDirectory.path, [
      process.execPath,
      ...process.execArgv,
      resolve(process.argv[1] ?? ""),
    ]);
    print(`the mesh is up after ${seconds().toFixed(1)} s; logs are in ${dataDirectory.path}/logs`);
    print("kubectl and istioctl reach it:");
    print(`  export KUBECONFIG=${api.kubeconfig} PATH=${bin}:$PATH`);
  } catch (error) {
    await opened.close();
    throw error;
  }
  return { mesh, dataDirectory, seconds, close: () => opened.close() };
}

/** What was opened, to be closed the other way round, also where a later part does not come up. */
class Opened {
  readonly #ends: (() => Promise<void> | void)[] = [];

  add(end: () => Promise<void> | void): void {
    this.#ends.push(end);
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

type Judge = (resources: readonly Resource[]) => readonly Issue[];

/** What a mesh of this network cannot do, whatever is good elsewhere. */
function judgeOf(mode: keyof typeof PROTECTION): Judge {
  return mode === "namespaces" ? unreachableRemoteClusters : () => [];
}

function openNetwork(
  entered: MeshToStart["network"],
  options: Pick<NamespaceNetworkOptions, "dataDirectory" | "hauberkCommand" | "cacerts" | "log">,
): Promise<NamespaceNetwork> | undefined {
  if (entered.mode === "loopback") return undefined;
  const { host } = entered;
  const kubeconfigFolder = sharedKubeconfigFolder(process.env);
  return NamespaceNetwork.open({ ...options, host, kubeconfigFolder, random: Math.random });
}

/** `run`, `status` and `down` come in there; being asked to stop is the same as SIGTERM. */
function openSocket(mesh: LocalMesh, path: string): Promise<MeshSocket> {
  const requestStop = (): void => void process.kill(process.pid, "SIGTERM");
  return MeshSocket.open({ mesh, path, requestStop, log: silentLog });
}

interface Told {
  readonly mesh: LocalMesh;
  readonly objects: MeshObjects;
  /** Notices that were printed. */
  readonly known: Set<string>;
  readonly print: Print;
  readonly seconds: () => number;
}

function bindObjects({ mesh, objects, print, seconds }: Told): BoundMesh {
  return new BoundMesh(mesh, objects, {
    clock: systemClock,
    report: print,
    tell: (problem) => {
      mesh.refusedChange = problem;
      if (problem === undefined) print(`[${seconds().toFixed(1)} s] a change is in force`);
      else print(`the change of what runs is refused or incomplete: ${problem}`);
    },
  });
}

/** What the files come to say while the mesh runs. */
function followFiles(
  paths: readonly string[],
  {
    mesh,
    objects,
    known,
    print,
    seconds,
    read,
    tellRefusal,
  }: Told & { readonly read: ReadTexts; readonly tellRefusal: (problem: string) => void },
): DirectorySource {
  const follow = (found: ReadTexts): void => {
    const { outcome, issues, notices } = objects.offerFiles(found);
    if (outcome === "refused") {
      for (const issue of issues) print(formatIssue(issue));
      print("the change is refused; the last good state stays in force");
      mesh.refusedChange = issues.map(formatIssue).join("; ");
      tellRefusal(mesh.refusedChange);
      return;
    }
    for (const line of notices.map(formatNotice)) {
      if (!known.has(line)) print(line);
      known.add(line);
    }
    if (outcome === "known" && mesh.refusedChange !== undefined) {
      mesh.refusedChange = undefined;
      print(
        `[${seconds().toFixed(1)} s] the refused change is gone; what the files say is in force`,
      );
    }
  };
  return watchResourceFiles(paths, { initial: read, onChange: follow, log: silentInfo(print) });
}

/** Only trouble is worth a line. */
function silentInfo(print: Print): Log {
  const log = createLog(print, systemClock);
  return { ...log, info: () => {} };
}

/** The paths themselves, as long as they are few. */
function describePaths(paths: readonly string[]): string {
  if (paths.length <= 3) return paths.join(", ");
  return `${paths.length} files, ${paths[0]} and others`;
}
