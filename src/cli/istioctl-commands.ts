/** Commands by the words of istioctl, asked of the running mesh. Each is loaded when it is run. */
import type { Command } from "commander";
import { askedDataFolder } from "./asked-mesh.ts";
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
}

function addDescribe(parent: Command): void {
  const describe = parent.command("describe").alias("des").description("Describe a pod");
  ofNamespace(describe.command("pod").alias("po"))
    .description("Say what a pod demands of its callers, and every policy rule as a sentence")
    .argument("<pod>", "POD, POD.NAMESPACE or deploy/NAME")
    .action(async (pod: string, { namespace, data }: PodOptions) => {
      const { describeCommand } = await import("./commands/describe.ts");
      const named = await workloadNamed(pod, namespace);
      process.exitCode = await describeCommand(named, { data }, { print, warn });
    });
}

function addAuthz(parent: Command): void {
  const authz = parent.command("authz").alias("auth").description("Authorization of a pod");
  ofNamespace(authz.command("check").alias("che"))
    .description("Print the policies that apply to a pod")
    .argument("<pod>", "POD, POD.NAMESPACE or deploy/NAME")
    .action(async (pod: string, { namespace, data }: PodOptions) => {
      const { authzCheckCommand } = await import("./commands/authz-check.ts");
      const named = await workloadNamed(pod, namespace);
      process.exitCode = await authzCheckCommand(named, { data }, { print, warn });
    });
}

function addProxyStatus(program: Command): void {
  program
    .command("proxy-status")
    .alias("ps")
    .description("Show which sidecars are in step with the control plane")
    .addOption(askedDataFolder())
    .action(async ({ data }: { data: string }) => {
      const { proxyStatusCommand } = await import("./commands/proxy-status.ts");
      process.exitCode = await proxyStatusCommand({ data, print });
    });
}

function ofNamespace(command: Command): Command {
  return command
    .option("-n, --namespace <namespace>", "where it is", "default")
    .addOption(askedDataFolder());
}

/** @returns `NAMESPACE/NAME` */
async function workloadNamed(text: string, inNamespace: string): Promise<string> {
  const { podNamed } = await import("./commands/proxy-config.ts");
  const { namespace, name } = podNamed(text, inNamespace);
  return `${namespace}/${name}`;
}
