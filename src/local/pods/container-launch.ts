/** What is started for one container: program, environment, folder, and the files that must be there first. */
import { isAbsolute, resolve } from "node:path";
import { effectiveAutomountToken } from "../../api/automount-token.ts";
import type { Container } from "../../api/container.ts";
import { containerCommand } from "../../api/image-commands.ts";
import type { PodTemplate } from "../../api/pod-template.ts";
import { formatLocation, type Resource, type SourceLocation } from "../../api/resource.ts";
import { ofKind } from "../../policy/mesh-snapshot.ts";
import type { Workload } from "../../policy/workload.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { folderOf } from "../folder-of.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import { applicationEnvironment, type EnvironmentInputs } from "./application-environment.ts";
import { type ContainerFiles, planContainerFiles } from "./container-files.ts";
import { type ContainerVariable, containerVariables } from "./container-variables.ts";
import { expandVariables } from "./expand-variables.ts";
import { listeningOnLoopback } from "./listening-addresses.ts";
import { rewritePaths } from "./rewrite-paths.ts";

/** A container has neither a command nor an image that is mapped to one. */
export class NoCommandError extends HauberkError {
  readonly code = "HAUBERK_NO_COMMAND";
}

/** A volume is mounted whole by one container, and a part of it by subPath: a link could lead that part anywhere. */
export class OpenSubPathError extends HauberkError {
  readonly code = "HAUBERK_OPEN_SUB_PATH";
}

export interface ContainerLaunch {
  readonly command: readonly [string, ...string[]];
  /** The entry of ImageCommands that stands for the image; absent: the container's own command. */
  readonly mappedAt?: SourceLocation;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly files: ContainerFiles;
  /** Whether the container sees its volumes where its manifest says, or is told where they are. */
  readonly paths: "mounted" | "rewritten";
}

export interface LaunchInputs extends Omit<EnvironmentInputs, "workload" | "container"> {
  readonly resources: readonly Resource[];
  /** All that is kept for the pod while it runs. */
  readonly podFolder: string;
  /** Where a volume that the pod claims is kept. */
  readonly claimFolder: (volume: string) => string;
  readonly paths: ContainerLaunch["paths"];
}

/** @throws NoCommandError, MissingVolumeDataError, MissingVariableDataError */
export function planContainerLaunch(
  { pod, container }: { readonly pod: PlannedPod; readonly container: Container },
  inputs: LaunchInputs,
): ContainerLaunch {
  const { workload, template, source } = pod;
  const { resources, podFolder: folder, claimFolder, paths } = inputs;
  if (paths === "mounted") refuseOpenSubPaths(container, template);
  const images = resources.flatMap((one) => (one.kind === "ImageCommands" ? one.images : []));
  const mapped = containerCommand(container, images);
  if (mapped === undefined) throw noCommand(container);
  const files = planContainerFiles(container, {
    template,
    namespace: workload.namespace,
    resources,
    folder,
    claimFolder,
    automountToken: paths === "mounted" ? automountOf(pod, resources) : "off",
  });
  const ownPorts = portsAsDeclared(container, workload);
  const place = (text: string): string =>
    paths === "mounted" ? text : listeningOnLoopback(rewritePaths(text, files.rewrites), ownPorts);
  const own = new Map<string, ContainerVariable>([
    ...mapped.env.map(({ name, value }) => [name, { text: value, form: "written" }] as const),
    ...containerVariables(container, { workload, resources }),
  ]);
  const environment = expandAll(
    applicationEnvironment({ ...inputs, workload, container }),
    own,
    place,
  );
  const [program = "", ...parameters] = mapped.argv.map((text) =>
    place(expandVariables(text, environment)),
  );
  return {
    command: [program, ...parameters],
    ...(mapped.mappedAt && { mappedAt: mapped.mappedAt }),
    environment,
    workingDirectory: workingDirectory(mapped.workingDir, { source, place }),
    files,
    paths,
  };
}

/**
 * What is mounted by `subPath` must not be in reach of a container that runs meanwhile: it could put a link in its place.
 *
 * @throws OpenSubPathError
 */
function refuseOpenSubPaths(container: Container, { containers, volumes }: PodTemplate): void {
  const whole = containers.flatMap(({ volumeMounts }) =>
    volumeMounts.filter(({ subPath, readOnly }) => subPath === undefined && !readOnly),
  );
  for (const { name, subPath } of container.volumeMounts) {
    const volume = volumes.find((one) => one.name === name);
    if (subPath === undefined || volume === undefined) continue;
    if (volume.kind !== "emptyDir" && volume.kind !== "claim") continue;
    if (!whole.some((mount) => mount.name === name)) continue;
    throw new OpenSubPathError(
      `${formatLocation(volume.source)}: volume ${name} is mounted whole, to be written, and by subPath ${subPath} in container ${container.name}: mount it by subPath everywhere, or use two volumes`,
    );
  }
}

/** Ports on which the program listens as its manifest says, and not where it is told to. */
function portsAsDeclared({ ports }: Container, workload: Workload): readonly number[] {
  const settled = workload.ports.filter(
    ({ application, containerPort }) => application.port === containerPort,
  );
  return ports
    .map(({ containerPort }) => containerPort)
    .filter((port) => settled.some(({ containerPort }) => containerPort === port));
}

function automountOf(
  { template, workload }: PlannedPod,
  resources: readonly Resource[],
): "on" | "off" {
  const account = ofKind(resources, "ServiceAccount").find(
    ({ meta }) => meta.namespace === workload.namespace && meta.name === workload.serviceAccount,
  );
  return effectiveAutomountToken(template, account);
}

/** A container's own variables may name those before them and those of the mesh. */
function expandAll(
  surrounding: Readonly<Record<string, string>>,
  own: ReadonlyMap<string, ContainerVariable>,
  place: (text: string) => string,
): Record<string, string> {
  const environment: Record<string, string> = { ...surrounding };
  for (const [name, { text, form }] of own) {
    environment[name] = form === "literal" ? text : place(expandVariables(text, environment));
  }
  return environment;
}

/** Relative to the folder of the file that the manifest is in. */
function workingDirectory(
  written: string | undefined,
  { source, place }: { readonly source: SourceLocation; readonly place: (text: string) => string },
): string {
  if (written === undefined) return folderOf(source);
  return isAbsolute(written) ? place(written) : resolve(folderOf(source), written);
}

function noCommand({ name, image, source }: Container): Error {
  return new NoCommandError(
    `${formatLocation(source)}: container ${name} has no command, and no ImageCommands resource maps its image ${image} to one; add a command, or an entry such as {image: "${image}", command: [PROGRAM]}`,
  );
}
