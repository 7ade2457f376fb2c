/** Commands by the words of istioctl, asked of the running mesh. Each is loaded when it is run. */
import { type Command, Option } from "commander";
import { ofAskedMesh } from "./asked-mesh.ts";
import type { VersionOptions } from "./commands/version.ts";
import { printLine as print, warnLine as warn } from "./print-line.ts";

interface PodOptions {
  readonly namespace: string;
  readonly data: string;
}

export function addIstioctlCommands(program: Command): void {
  const experimental = program
    .command("x")
    .alias("experimental")
    .description("istioctl's experimental commands, asked of the running mesh");
  addDescribe(experimental);
  addAuthz(experimental);
  addProxyStatus(program);
  addVersion(program);
}

function addDescribe(parent: Command): void {
  const describe = parent
    .command("describe")
    .alias("des")
    .description("Describe a pod or a service");
  ofNamespace(describe.command("pod").alias("po"))
    .description(
      "Say as istioctl what decides about a pod; then what it demands of its callers, every policy rule as a sentence",
    )
    .argument("<pod>", "POD, POD.NAMESPACE or deploy/NAME")
    .action(async (pod: string, options: PodOptions) => {
      const { describeClusterCommand } = await import("./commands/describe-cluster.ts");
      process.exitCode = await describeClusterCommand("pod", pod, options, { print, warn });
    });
  ofNamespace(describe.command("service").alias("svc"))
    .description(
      "Say as istioctl what decides about a service, and whether it is reached from outside",
    )
    .argument("<service>", "SERVICE or SERVICE.NAMESPACE")
    .action(async (service: string, options: PodOptions) => {
      const { describeClusterCommand } = await import("./commands/describe-cluster.ts");
      process.exitCode = await describeClusterCommand("service", service, options, { print, warn });
    });
}

function addAuthz(parent: Command): void {
  const authz = parent.command("authz").alias("auth").description("Authorization of a pod");
  ofNamespace(authz.command("check").alias("che"))
    .description("Print the policies that apply to a pod, or that an Envoy's dump has")
    .argument("[pod]", "POD, POD.NAMESPACE or deploy/NAME; none with --file")
    .option("-f, --file <path>", "an Envoy's config dump, to be looked at instead")
    .action(async (pod: string | undefined, options: PodOptions & { readonly file?: string }) => {
      const { dumpedPoliciesCommand } = await import("./commands/dumped-policies.ts");
      const { authzCheckCommand } = await import("./commands/authz-check.ts");
      process.exitCode =
        pod === undefined || options.file !== undefined
          ? await dumpedPoliciesCommand(pod, options, print)
          : await authzCheckCommand(
              await workloadNamed(pod, options.namespace),
              { data: options.data },
              { print, warn },
            );
    });
}

function addProxyStatus(program: Command): void {
  ofNamespace(program.command("proxy-status").alias("ps"))
    .description("Show which sidecars are in step with the control plane")
    .argument("[pod]", "POD, POD.NAMESPACE or deploy/NAME; none: all of them")
    .action(async (pod: string | undefined, { data, namespace }: PodOptions) => {
      const { proxyStatusCommand } = await import("./commands/proxy-status.ts");
      const named = pod === undefined ? undefined : await workloadNamed(pod, namespace);
      process.exitCode = await proxyStatusCommand({ data, print, ...(named && { pod: named }) });
    });
}

function addVersion(program: Command): void {
  ofAskedMesh(program.command("version"))
    .description("Print the version, and how many sidecars the running mesh has")
    .option("--remote [boolean]", "whether the mesh is asked", (text) => text !== "false", true)
    .option("-s, --short", "with --remote=false, the version alone")
    .addOption(new Option("-o, --output <format>", "in this form").choices(["json", "yaml"]))
    .action(async (options: VersionOptions) => {
      const { versionCommand } = await import("./commands/version.ts");
      process.exitCode = await versionCommand({ ...options, print });
    });
}

function ofNamespace(command: Command): Command {
  return ofAskedMesh(command.option("-n, --namespace <namespace>", "where it is", "default"));
}

/** @returns `NAMESPACE/NAME` */
async function workloadNamed(text: string, inNamespace: string): Promise<string> {
  const { podNamed } = await import("./commands/proxy-config.ts");
  const { namespace, name } = podNamed(text, inNamespace);
  return `${namespace}/${name}`;
}
