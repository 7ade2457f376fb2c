/**
 * What stands between a pod's processes and everything else: the command around their own, which enters the pod's
 * network, gives up every privilege and shuts the process in. Pure.
 */
import { posix } from "node:path";
import { arrangeFiles, type Placement } from "./arrange-files.ts";
import type { HostFiles } from "./host-files.ts";
import type { MeshUser } from "./host-side.ts";
import { APPLICATION_UID, SIDECAR_UID } from "./mesh-ranges.ts";
import { realPath } from "./real-path.ts";
import { systemProgram } from "./system-programs.ts";
import { visibleFolders } from "./visible-folders.ts";

export type Command = readonly [string, ...string[]];

export interface VolumePlacement {
  /** Absolute path on the machine: a folder, or a file. */
  readonly source: string;
  readonly target: string;
  readonly mode: "read-only" | "writable";
}

export interface ContainerEnclosure {
  readonly user: MeshUser;
  /** `PodNetwork.path`. */
  readonly networkNamespace: string;
  readonly hostname: string;
  readonly command: Command;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Where what it writes to /tmp is kept on the machine; its application's user must own it. */
  readonly temporaryFolder: string;
  readonly volumes: readonly VolumePlacement[];
  /** Hidden, with all that is in it. */
  readonly dataDirectory: string;
  /** Of the user, on the machine: empty in the container, and can be written. */
  readonly home: string;
  /** Further folders, for temporary files: as empty as the home. */
  readonly temporary?: readonly string[];
  /** Folders that are as empty as the data directory, wherever they would be seen: absolute paths, also without links. */
  readonly covered?: readonly string[];
  /** Files that are not shown, such as manifests of Secrets. */
  readonly withheld?: readonly string[];
  /**
   * Folders in hidden ones that are shown all the same, read-only: those of the manifests. One within the data directory
   * is shown too, so nothing that a manifest says may be in this list.
   */
  readonly visible: readonly string[];
  /** Path of a file that `systemCallFilter` wrote; absent where there is none for this machine. */
  readonly systemCallFilter?: string;
  readonly host: HostFiles;
}

/** Homes, whoever's they are. */
const HOMES = ["/home", "/root", "/Users", "/var/home"];
/** Sockets of the machine's services, and what others leave lying about. */
const SCRATCH = ["/run", "/var/run", "/var/tmp", "/dev/shm"];

/** With sockets of what makes virtual machines and containers: whoever is in its group is as good as root there. */
const OUTSIDE_RUN = ["/var/lib/incus", "/var/lib/lxd", "/var/snap"];

/** Of the program that follows; its descriptor is closed before anything of the container runs. */
const FILTER_DESCRIPTOR = "9";
const WITH_FILTER = `filter=$1; shift; exec "$@" ${FILTER_DESCRIPTOR}<"$filter"`;

/** What dynamic loaders, C libraries (glibc's `UNSECURE_ENVVARS`) and shells heed: it would act in the programs around, too. */
const HEEDED_BY_LOADERS =
  /^(?:LD_\w*|GLIBC_\w*|MALLOC_\w*|GCONV_PATH|GETCONF_DIR|HOSTALIASES|LOCALDOMAIN|LOCPATH|NIS_PATH|NLSPATH|RESOLV_HOST_CONF|RES_OPTIONS|TZDIR|ENV|BASH\w*|BASH_FUNC_.*|SHELLOPTS|PS4|IFS|CDPATH|POSIXLY_CORRECT)$/;

/** All that a process could be, given up. */
const WITHOUT_PRIVILEGES = [
  "--inh-caps=-all",
  "--ambient-caps=-all",
  "--bounding-set=-all",
  "--no-new-privs",
];

/**
 * A container's process: own mount, process, IPC, host name and user namespace, no capability, none to be had.
 *
 * It needs no session of its own (`--new-session`): it has no terminal, and whoever started it ends it by its group.
 *
 * @returns what to start, and with which environment
 * @throws FabricError when a volume cannot be where it is asked for
 */
export function encloseContainer(enclosure: ContainerEnclosure): {
  readonly command: Command;
  readonly environment: Readonly<Record<string, string>>;
} {
  const { user, networkNamespace, command } = enclosure;
  const { outside, inside } = splitEnvironment(enclosure.environment);
  const sandbox = [...sandboxProgram(enclosure), ...sandboxArguments(enclosure), "--"];
  const dropped = [systemProgram("setpriv"), ...WITHOUT_PRIVILEGES];
  const asApplication = [
    `--reuid=${APPLICATION_UID}`,
    `--regid=${APPLICATION_UID}`,
    "--clear-groups",
    "--",
  ];
  const around =
    user === "root" ? [...sandbox, ...dropped, ...asApplication] : [...dropped, "--", ...sandbox];
  const heeded = inside.length === 0 ? [] : ["/usr/bin/env", ...inside];
  return {
    command: [...enter(networkNamespace), ...around, ...heeded, ...command],
    environment: outside,
  };
}

/** Nothing stands in the place of the data directory. */
const HIDDEN = '"$1" -t tmpfs -o mode=0555,size=4k,ro hauberk "$2" && shift 2 && exec "$@"';

/** A folder of the data directory that a sidecar gets, and by which descriptor: one digit, as shells have it. */
export interface OpenFolder {
  readonly source: string;
  readonly descriptor: number;
}

/**
 * A sidecar's process: the pod's network, no view of the data directory, and of all capabilities only the one that marks
 * its sockets. Where the mesh is root's it is known by its uid, and has none.
 */
export function encloseSidecar({
  user,
  networkNamespace,
  dataDirectory,
  folders,
  command,
}: Pick<ContainerEnclosure, "user" | "networkNamespace" | "dataDirectory"> & {
  /** All that it gets of the data directory. */
  readonly folders: readonly OpenFolder[];
  readonly command: Command;
}): Command {
  const kept = WITHOUT_PRIVILEGES.map((flag) =>
    flag.endsWith("-all") ? `${flag},+net_admin` : flag,
  );
  const privileges =
    user === "root"
      ? [
          ...WITHOUT_PRIVILEGES,
          `--reuid=${SIDECAR_UID}`,
          `--regid=${SIDECAR_UID}`,
          "--clear-groups",
        ]
      : kept;
  return [
    ...enter(networkNamespace),
    systemProgram("unshare"),
    "--mount",
    "--",
    "/bin/sh",
    "-c",
    folders.length === 0 ? HIDDEN : opening(folders),
    "sidecar",
    systemProgram("mount"),
    dataDirectory,
    ...folders.map(({ source }) => source),
    systemProgram("setpriv"),
    ...privileges,
    "--",
    ...command,
  ];
}

/**
 * One after the other stands in the place of the data directory, so that no way leads up from it, and is opened before
 * privileges are given up: folders around it may be closed to what is left. The first covers where the others are.
 */
function opening(folders: readonly OpenFolder[]): string {
  const asTheyAre = folders.map(({ descriptor }, at) => `exec ${descriptor}<"$${at + 3}"`);
  const alone = folders.map(
    ({ descriptor: it }) => `"$1" -c --bind /proc/self/fd/${it} "$2" && exec ${it}<"$2"`,
  );
  return [...asTheyAre, ...alone, `shift ${folders.length + 2}`, 'exec "$@"'].join(" && ");
}

function sandboxProgram({ systemCallFilter }: ContainerEnclosure): Command {
  const program = systemProgram("bwrap");
  if (systemCallFilter === undefined) return [program];
  const filtered = ["/bin/sh", "-c", WITH_FILTER, "enclose", systemCallFilter, program] as const;
  return [...filtered, "--seccomp", FILTER_DESCRIPTOR];
}

function enter(networkNamespace: string): Command {
  return [systemProgram("nsenter"), `--net=${networkNamespace}`, "--"];
}

function sandboxArguments(enclosure: ContainerEnclosure): readonly string[] {
  const { user, hostname, workingDirectory, host } = enclosure;
  const identity =
    user === "root"
      ? ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
      : ["--unshare-user"];
  return [
    "--die-with-parent",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--hostname",
    hostname,
    "--cap-drop",
    "ALL",
    ...identity,
    ...arrangeFiles(placements(enclosure), {
      host,
      ...(user === "root" && { perms: "1777" }),
    }),
    "--chdir",
    workingDirectory,
  ];
}

function placements(enclosure: ContainerEnclosure): readonly Placement[] {
  const { home, dataDirectory, temporaryFolder, volumes, environment, host } = enclosure;
  const { covered = [], withheld = [] } = enclosure;
  const own = posix.normalize(home);
  const hidden = [...HOMES, ...(own === "/" ? [] : [own])];
  const further = temporaryFolders(enclosure).filter((folder) => folder !== own);
  const visible = visibleFolders({
    hidden: [...hidden, ...further, ...SCRATCH, "/tmp"],
    secret: [posix.normalize(dataDirectory), ...covered],
    path: environment["PATH"] ?? "",
    named: enclosure.visible,
    host,
  });
  const alsoAt = aliasesOf(visible, host);
  return [
    { kind: "devices", target: "/dev" },
    { kind: "processes", target: "/proc" },
    ...[...HOMES, ...OUTSIDE_RUN].map((target) => ({ kind: "hidden", target }) as const),
    ...further.map((target) => ({ kind: "scratch", target }) as const),
    ...SCRATCH.map((target) => ({ kind: "scratch", target }) as const),
    ...(own === "/" ? [] : [{ kind: "scratch", target: own } as const]),
    ...visible.map((folder) => ({ kind: "read-only", target: folder, source: folder }) as const),
    ...alsoAt(withheld).map((target) => ({ kind: "withheld", target }) as const),
    { kind: "writable", target: "/tmp", source: temporaryFolder },
    ...volumes.map(({ mode, source, target }) => ({ kind: mode, target, source })),
    ...alsoAt([...covered, dataDirectory]).map((target) => ({ kind: "covered", target }) as const),
    { kind: "hidden", target: dataDirectory },
  ];
}

/** What is shown by a link is there a second time, with all that is in it. */
function aliasesOf(
  visible: readonly string[],
  host: HostFiles,
): (places: readonly string[]) => readonly string[] {
  const linked = visible
    .map((folder) => ({ folder, real: realPath(folder, host) }))
    .filter(({ folder, real }) => folder !== real);
  return (places) => {
    const others = places.flatMap((place) => {
      const at = realPath(place, host);
      return linked
        .filter(({ real }) => at.startsWith(`${real}/`))
        .map(({ folder, real }) => posix.join(folder, posix.relative(real, at)));
    });
    return [...new Set([...places, ...places.map((place) => realPath(place, host)), ...others])];
  };
}

/** Those that are there, besides /tmp, which has its own. */
function temporaryFolders({ temporary = [], host }: ContainerEnclosure): readonly string[] {
  return temporary
    .map((folder) => posix.normalize(folder).replace(/(?<=.)\/$/, ""))
    .filter((folder) => !["/", "/tmp"].includes(folder) && host.lookAt(folder).kind === "folder");
}

/** What loaders heed is set within the enclosure, by `env`; everything else before. */
function splitEnvironment(environment: Readonly<Record<string, string>>): {
  readonly outside: Readonly<Record<string, string>>;
  readonly inside: readonly string[];
} {
  const entries = Object.entries(environment);
  const outside = entries.filter(([name]) => !HEEDED_BY_LOADERS.test(name));
  const inside = entries.filter(([name]) => HEEDED_BY_LOADERS.test(name));
  return {
    outside: Object.fromEntries(outside),
    inside: inside.map(([name, value]) => `${name}=${value}`),
  };
}
