/** Commands by the words of istioctl, asked of the running mesh. Each is loaded when it is run. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
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
  addDashboard(program);
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

function addDashboard(program: Command): void {
  program
    .command("dashboard")
    .alias("dash")
    .alias("d")
    .description(
      "Serve a page that shows the running mesh: who calls whom and how safely, certificates, recent denials",
    )
    .addOption(
      new Option("-p, --port <port>", "of 127.0.0.1; 0: any that is free")
        .argParser(parsePort)
        .default(0),
    )
    .addOption(askedDataFolder())
    .addHelpText(
      "after",
      "\nIt prints an address that works once, for this machine alone. Exit code: 0, or 1 when no mesh runs.",
    )
    .action(async (options: { readonly data: string; readonly port: number }) => {
      const [{ dashboardCommand }, { stopSignal }] = await Promise.all([
        import("./commands/dashboard.ts"),
        import("./stop-signal.ts"),
      ]);
      const signal = stopSignal();
      process.exitCode = await dashboardCommand(options, { print, clock: systemClock, signal });
    });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a number from 0 to 65535.");
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
