/** One container of a pod template: the command to run, its environment and its ports. */
import type { Fields } from "./decoder.ts";
import type { Container, ContainerPort, EnvironmentVariable } from "./deployment.ts";
import { requiredPort, transportProtocol } from "./port-fields.ts";
import { quoted } from "./quoted.ts";
import { labelNameProblem, portNameProblem } from "./resource-names.ts";

const UNUSED_FIELDS = [
  "imagePullPolicy",
  "lifecycle",
  "livenessProbe",
  "readinessProbe",
  "resizePolicy",
  "resources",
  "restartPolicy",
  "restartPolicyRules",
  "securityContext",
  "startupProbe",
  "stdin",
  "stdinOnce",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "tty",
  "volumeDevices",
  "volumeMounts",
];

export function container(fields: Fields, file: string): Container {
  fields.unused(UNUSED_FIELDS);
  if (fields.has("envFrom")) fields.report("envFrom", "is not supported yet");
  fields.accept(["envFrom"]);
  const workingDir = fields.text("workingDir", workingDirProblem);
  if (!fields.has("image") && !fields.has("command")) {
    fields.reportHere("needs an image or a command");
  }
  return {
    name: fields.requiredText("name", labelNameProblem),
    image: fields.text("image") ?? "",
    command: fields.texts("command", nulProblem),
    args: fields.texts("args", nulProblem),
    env: fields.list("env").map(environmentVariable),
    ports: fields.list("ports").map(containerPort),
    ...(workingDir === undefined ? {} : { workingDir }),
    source: { file, line: fields.line },
  };
}

function environmentVariable(fields: Fields): EnvironmentVariable {
  if (fields.has("valueFrom")) fields.report("valueFrom", "is not supported yet; give a value");
  fields.accept(["valueFrom"]);
  const name = fields.requiredText("name", variableNameProblem);
  return { name, value: fields.text("value", nulProblem) ?? "" };
}

function containerPort(fields: Fields): ContainerPort {
  transportProtocol(fields);
  fields.unused(["hostIP", "hostPort"]);
  const name = fields.text("name", portNameProblem) ?? "";
  return { name, containerPort: requiredPort(fields, "containerPort") };
}

function variableNameProblem(name: string): string | undefined {
  if (/^[^=\0]+$/.test(name)) return undefined;
  return `${quoted(name)} is not the name of a variable: it must not be empty or have "="`;
}

function workingDirProblem(path: string): string | undefined {
  return path === "" ? "must not be empty" : nulProblem(path);
}

function nulProblem(text: string): string | undefined {
  return text.includes("\0") ? "must not have a NUL character" : undefined;
}
