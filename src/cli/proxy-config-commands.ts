/** `hauberk proxy-config`, by the words of istioctl. Each command is loaded when it is run. */
import { type Command, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
import type { ProxyConfigSecretOptions } from "./commands/proxy-config.ts";
import { dataFolder } from "./options.ts";
import { printLine as print } from "./print-line.ts";

export function addProxyConfigCommands(program: Command): void {
  program
    .command("proxy-config")
    .alias("pc")
    .description("What a sidecar of the running mesh has at this moment")
    .command("secret")
    .alias("s")
    .description("Show the certificate a sidecar proves itself with, and the roots it trusts")
    .argument("<pod>", "POD, POD.NAMESPACE or deploy/NAME")
    .option("-n, --namespace <namespace>", "where it is", "default")
    .addOption(dataFolder())
    .addOption(
      new Option("-o, --output <format>", "json: in the shape of Envoy's configuration dump")
        .choices(["table", "json"])
        .default("table"),
    )
    .addHelpText(
      "after",
      `
Private keys are never shown: the sidecar does not tell them.
Exit code: 0, or 1 when there is no such pod, it has no sidecar, or its sidecar does not answer.`,
    )
    .action(async (pod: string, options: ProxyConfigSecretOptions) => {
      const { proxyConfigSecretCommand } = await import("./commands/proxy-config.ts");
      process.exitCode = await proxyConfigSecretCommand(pod, options, {
        print,
        clock: systemClock,
      });
    });
}
