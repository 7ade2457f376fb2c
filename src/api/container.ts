/** One container of a pod template: the command to run, its environment, its ports, its files and its probes. */
import type { Fields } from "./decoder.ts";
import {
  type EnvironmentBundle,
  type EnvironmentVariable,
  environmentBundle,
  environmentVariable,
  nulProblem,
} from "./environment-variable.ts";
import { type Lifecycle, lifecycle } from "./lifecycle.ts";
import { reportTwice, requiredPort, transportProtocol } from "./port-fields.ts";
import { PROBES, type Probe, type ProbeName, probe } from "./probe.ts";
import type { SourceLocation } from "./resource.ts";
import { labelNameProblem, portNameProblem } from "./resource-names.ts";
import { type VolumeMount, volumeMount } from "./volume-mount.ts";

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** Wins over `envFrom`. */
  readonly env: readonly EnvironmentVariable[];
  readonly envFrom: readonly EnvironmentBundle[];
  readonly ports: readonly ContainerPort[];
  readonly volumeMounts: readonly VolumeMount[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: Lifecycle;
  readonly workingDir?: string;
  readonly source: SourceLocation;
}

export interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
}

const UNUSED_FIELDS = [
  "imagePullPolicy",
  "resizePolicy",
  "resources",
  "restartPolicy",
  "restartPolicyRules",
  "securityContext",
  "stdin",
  "stdinOnce",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "tty",
];

export interface ContainerOptions {
  readonly file: string;
  /** Names of the pod's volumes. */
  readonly volumes: readonly string[];
  /** What the pod has to end. */
  readonly graceSeconds: number;
}

export function container(
  fields: Fields,
  { file, volumes, graceSeconds }: ContainerOptions,
): Container {
  fields.unused(UNUSED_FIELDS);
  fields.unsupported(["volumeDevices"]);
  const workingDir = fields.text("workingDir", workingDirProblem);
  if (!fields.has("image") && !fields.has("command")) {
    fields.reportHere("needs an image or a command");
  }
  const ports = fields.list("ports").map(containerPort);
  return {
    name: fields.requiredText("name", labelNameProblem),
    image: fields.text("image") ?? "",
    command: fields.texts("command", nulProblem),
    args: fields.texts("args", nulProblem),
    env: fields.list("env").map(environmentVariable),
    envFrom: fields.list("envFrom").map(environmentBundle),
    ports,
    volumeMounts: volumeMountsOf(fields, volumes),
    ...probesOf(fields, ports),
    ...(fields.has("lifecycle") && { lifecycle: lifecycle(fields, { ports, graceSeconds }) }),
    ...(workingDir === undefined ? {} : { workingDir }),
    source: { file, line: fields.line },
  };
}

function containerPort(fields: Fields): ContainerPort {
  transportProtocol(fields);
  fields.unused(["hostIP", "hostPort"]);
  const name = fields.text("name", portNameProblem) ?? "";
  return { name, containerPort: requiredPort(fields, "containerPort") };
}

function volumeMountsOf(fields: Fields, volumes: readonly string[]): readonly VolumeMount[] {
  const items = fields.list("volumeMounts");
  const mounts = items.map((item) => volumeMount(item, volumes));
  reportTwice(items, { field: "mountPath", values: mounts.map(({ mountPath }) => mountPath) });
  return mounts;
}

function probesOf(
  fields: Fields,
  ports: readonly ContainerPort[],
): { readonly [name in ProbeName]?: Probe } {
  fields.accept(PROBES);
  const given = PROBES.filter((name) => fields.has(name));
  return Object.fromEntries(given.map((name) => [name, probe(fields, { name, ports })]));
}

function workingDirProblem(path: string): string | undefined {
  return path === "" ? "must not be empty" : nulProblem(path);
}
