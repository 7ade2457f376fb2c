/**
 * What the processes of a pod are shut in with: their files, their /etc, the network that they are in, what they may ask
 * of the kernel.
 */
import { lstatSync, mkdirSync, realpathSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import type { Resource } from "../../api/resource.ts";
import { podTemplateOf } from "../../policy/plan-workloads.ts";
import { podDomain } from "../../policy/pod-domain.ts";
import type { Workload } from "../../policy/workload.ts";
import { replaceFile } from "../../runtime/atomic-file.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import type { Log } from "../../runtime/log.ts";
import type { DataDirectory } from "../data-directory.ts";
import type { JoinedNetwork } from "../joining/mesh-socket-messages.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import type { ContainerLaunch } from "../pods/container-launch.ts";
import type { EnclosedLaunch } from "../pods/pod-container.ts";
import type { PathRewrite } from "../pods/rewrite-paths.ts";
import { applicationProcesses } from "./application-processes.ts";
import {
  type Command,
  encloseContainer,
  encloseSidecar,
  type OpenFolder,
  type VolumePlacement,
} from "./enclosure.ts";
import { hostFiles } from "./host-files.ts";
import type { MeshUser } from "./host-side.ts";
import type { PodNetwork } from "./mesh-fabric.ts";
import { APPLICATION_UID } from "./mesh-ranges.ts";
import { addressesOf } from "./network-knowledge.ts";
import { podFiles } from "./pod-files.ts";
import { type MeshSecrets, secretPlaces } from "./secret-places.ts";
import { systemCallFilter } from "./system-call-filter.ts";

/** Below the pod's own folder. */
const POD_FILES = "etc";
const POD_FILE_TARGETS = [
  "/etc/hostname",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/etc/passwd",
  "/etc/group",
];

/** A volume would show a container what no pod may see, such as the data directory of the mesh. */
export class ForbiddenVolumeError extends HauberkError {
  readonly code = "HAUBERK_FORBIDDEN_VOLUME";
}

export interface PodEnclosureOptions extends MeshSecrets {
  readonly user: MeshUser;
  readonly dataDirectory: DataDirectory;
  /** Path of the file; absent on a machine for which there is none. */
  readonly systemCallFilter?: string | undefined;
  readonly log: Log;
}

export class PodEnclosures {
  readonly #options: PodEnclosureOptions;

  private constructor(options: PodEnclosureOptions) {
    this.#options = options;
  }

  static async open(
    options: Omit<PodEnclosureOptions, "systemCallFilter">,
  ): Promise<PodEnclosures> {
    return new PodEnclosures({
      ...options,
      systemCallFilter: await writeSystemCallFilter(options),
    });
  }

  /** Whom the files of an application must belong to; absent where that is ourselves. */
  get applicationUser(): { readonly uid: number; readonly gid: number } | undefined {
    return this.#options.user === "root"
      ? { uid: APPLICATION_UID, gid: APPLICATION_UID }
      : undefined;
  }

  /** The process that a container is really started as; asked to end, only its own program is. */
  encloseContainer(
    launch: ContainerLaunch,
    {
      pod,
      planned,
      resources,
      visible,
      shared,
    }: {
      readonly pod: PodNetwork;
      readonly planned: PlannedPod;
      readonly resources: readonly Resource[];
      /** Folders of manifests. */
      readonly visible: readonly string[];
      /** A folder of the data directory that its sidecar shares with it. */
      readonly shared?: { readonly source: string; readonly target: string } | undefined;
    },
  ): EnclosedLaunch {
    const { dataDirectory, systemCallFilter } = this.#options;
    const { workload, template } = planned;
    const { environment, workingDirectory, files } = launch;
    const shown = isBelow(dataDirectory.path, workingDirectory)
      ? visible
      : [...visible, workingDirectory];
    const { folders: covered, files: keys } = secretPlaces(shown, this.#options);
    const enclosed = encloseContainer({
      user: this.#options.user,
      networkNamespace: pod.path,
      hostname: template.hostname ?? workload.name,
      command: launch.command,
      environment,
      workingDirectory,
      temporaryFolder: dataDirectory.scratch(workload),
      volumes: [
        ...files.rewrites.map((rewrite) => volumeOf(rewrite, dataDirectory, covered)),
        ...podFilesIn(dataDirectory.pod(workload)),
        ...(shared === undefined ? [] : [{ ...shared, mode: "read-only" } as const]),
      ],
      dataDirectory: dataDirectory.path,
      home: homedir(),
      temporary: [tmpdir()],
      covered,
      withheld: [...secretFiles(resources), ...keys],
      ...(systemCallFilter !== undefined && { systemCallFilter }),
      visible: shown,
      host: hostFiles,
    });
    return { ...enclosed, workingDirectory: "/", programsOf: applicationProcesses };
  }

  /** @param folders within the data directory: all that the sidecar gets of it */
  encloseSidecar(
    command: Command,
    pod: Pick<PodNetwork, "path">,
    folders: readonly OpenFolder[],
  ): Command {
    const { dataDirectory, user } = this.#options;
    return encloseSidecar({
      user,
      networkNamespace: pod.path,
      dataDirectory: dataDirectory.path,
      folders,
      command,
    });
  }

  /** Writes what differs from pod to pod in /etc. */
  async writePodFiles(
    { workload, template }: PlannedPod,
    resources: readonly Resource[],
  ): Promise<void> {
    const { namespace, name } = workload;
    const owner = podTemplateOf(resources, workload);
    const [passwd, group] = await Promise.all(
      ["/etc/passwd", "/etc/group"].map((file) => readFile(file, "utf8").catch(() => "")),
    );
    const folder = join(this.#options.dataDirectory.pod(workload), POD_FILES);
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const accounts = { passwd: passwd ?? "", group: group ?? "" };
    const addresses = addressesOf(workload);
    for (const { target, content } of podFiles({
      namespace,
      hostname: template.hostname ?? name,
      serviceName: owner === undefined ? undefined : podDomain(owner)?.serviceName,
      addresses,
      home: homedir(),
      accounts,
    })) {
      await writeFile(join(folder, basename(target)), content, { mode: 0o644 });
    }
  }

  /** For a program of the user's own that is to run in the pod's network. */
  joinedNetwork(workload: Workload, processId: number): JoinedNetwork {
    const folder = join(this.#options.dataDirectory.pod(workload), POD_FILES);
    return { user: this.#options.user, processId, resolverFile: join(folder, "resolv.conf") };
  }
}

/**
 * Where a volume really is, and how it is mounted.
 *
 * @param covered further folders that no pod may see, without links
 * @throws ForbiddenVolumeError
 */
export function volumeOf(
  { from, to, access, origin, root }: PathRewrite,
  { path }: DataDirectory,
  covered: readonly string[] = [],
): VolumePlacement {
  const within = realPath(root, from);
  if (origin === "pod" && to !== root) makeBelow(within, relative(root, to));
  const source = realPath(to, from);
  if (source !== within && !isBelow(within, source)) {
    throw new ForbiddenVolumeError(
      `the volume at ${from} leads out of itself, to ${source}: a link in it is in the way of its subPath`,
    );
  }
  const shows = (kept: string): boolean =>
    source === kept || isBelow(kept, source) || isBelow(source, kept);
  if (origin === "machine" && shows(realpathSync(path))) {
    throw new ForbiddenVolumeError(
      `the volume at ${from} would show the data directory ${path}, which no pod may see`,
    );
  }
  const other = origin === "machine" ? covered.find(shows) : undefined;
  if (other !== undefined) {
    throw new ForbiddenVolumeError(
      `the volume at ${from} would show ${other}, which no pod may see: it holds keys of an authority, or another mesh`,
    );
  }
  return { target: from, source, mode: access === "read-only" ? "read-only" : "writable" };
}

/** @throws ForbiddenVolumeError for what is not there, such as the end of a link */
function realPath(path: string, from: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new ForbiddenVolumeError(`the volume at ${from} cannot be found at ${path}`, { cause });
  }
}

/** A folder for a `subPath` that is not there yet, as Kubernetes makes one; never by way of a link. */
function makeBelow(root: string, path: string): void {
  let folder = root;
  for (const part of path.split("/")) {
    folder = join(folder, part);
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) mkdirSync(folder, { mode: 0o777 });
    else if (!found.isDirectory()) return; // a file, or a link, which is looked at next
  }
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

async function writeSystemCallFilter({
  dataDirectory,
  log,
}: Omit<PodEnclosureOptions, "systemCallFilter">): Promise<string | undefined> {
  const filter = systemCallFilter(process.arch);
  if (filter === undefined) {
    log.warn("pods may make any system call: no filter is known for this machine", {
      architecture: process.arch,
    });
    return undefined;
  }
  await replaceFile(dataDirectory.systemCallFilter, filter, { mode: 0o600 });
  return dataDirectory.systemCallFilter;
}

/** A pod sees what it is given of a Secret; its manifest, and those of others, are none of its business. */
function secretFiles(resources: readonly Resource[]): readonly string[] {
  const files = resources.flatMap(({ kind, meta }) =>
    kind === "Secret" ? resolve(meta.source.file) : [],
  );
  return [...new Set(files)];
}

function podFilesIn(podFolder: string): readonly VolumePlacement[] {
  return POD_FILE_TARGETS.map((target) => ({
    target,
    source: join(podFolder, POD_FILES, basename(target)),
    mode: "read-only",
  }));
}
