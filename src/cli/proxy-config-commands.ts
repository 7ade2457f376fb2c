/** `hauberk proxy-config`, by the words of istioctl. Each command is loaded when it is run. */
import { type Command, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
import { LOG_LEVELS, type LogLevel } from "../runtime/log.ts";
import { askedDataFolder } from "./asked-mesh.ts";
import type {
  ProxyConfigOptions,
  ProxyConfigPart,
  SidecarOptions,
} from "./commands/proxy-config.ts";

import { printLine as print } from "./print-line.ts";

const EXIT_CODE =
  "Exit code: 0, or 1 when there is no such pod, it has no sidecar, or its sidecar does not answer.";

const PARTS: readonly {
  readonly part: ProxyConfigPart;
  readonly aliases: readonly string[];
  readonly description: string;
}[] = [
  {
    part: "listeners",
    aliases: ["listener", "l"],
    description: "Show where a sidecar takes connections, and where each leads",
  },
  {
    part: "clusters",
    aliases: ["cluster", "c"],
    description: "Show the services that a sidecar can reach, and the pod's own ports",
  },
  {
    part: "endpoints",
    aliases: ["endpoint", "ep"],
    description: "Show the pods behind them, and whether a connection is mutual TLS",
  },
];

export function addProxyConfigCommands(program: Command): void {
  const parent = program
    .command("proxy-config")
    .alias("pc")
    .description("What a sidecar of the running mesh has at this moment");
  addSecretCommand(parent);
  for (const part of PARTS) addPartCommand(parent, part);
  addLogCommand(parent);
}

function addSecretCommand(parent: Command): void {
  ofPod(parent.command("secret").alias("secrets").alias("s"))
    .description("Show the certificate a sidecar proves itself with, and the roots it trusts")
    .addOption(outputFormat("json: in the shape of Envoy's configuration dump"))
    .addHelpText(
      "after",
      `\nPrivate keys are never shown: the sidecar does not tell them.\n${EXIT_CODE}`,
    )
    .action(async (pod: string, options: ProxyConfigOptions) => {
      const { proxyConfigSecretCommand } = await import("./commands/proxy-config.ts");
      process.exitCode = await proxyConfigSecretCommand(pod, options, {
        print,
        clock: systemClock,
      });
    });
}

function addPartCommand(
  parent: Command,
  { part, aliases, description }: (typeof PARTS)[number],
): void {
  ofPod(parent.command(part).aliases([...aliases]))
    .description(description)
    .addOption(outputFormat("json: in the shape of our own that docs/reference/admin.md describes"))
    .addHelpText("after", `\n${EXIT_CODE}`)
    .action(async (pod: string, options: ProxyConfigOptions) => {
      const { proxyConfigPartCommand } = await import("./commands/proxy-config.ts");
      process.exitCode = await proxyConfigPartCommand(part, pod, { ...options, print });
    });
}

function addLogCommand(parent: Command): void {
  ofPod(parent.command("log").alias("o"))
    .description("Show how much a sidecar logs, or change it until the sidecar is started again")
    .addOption(new Option("--level <level>", "from now on").choices(LOG_LEVELS))
    .addHelpText("after", `\n${EXIT_CODE}`)
    .action(async (pod: string, options: SidecarOptions & { readonly level?: LogLevel }) => {
      const { proxyConfigLogCommand } = await import("./commands/proxy-config.ts");
      process.exitCode = await proxyConfigLogCommand(pod, { ...options, print });
    });
}

function ofPod(command: Command): Command {
  return command
    .argument("<pod>", "POD, POD.NAMESPACE or deploy/NAME")
    .option("-n, --namespace <namespace>", "where it is", "default")
    .addOption(askedDataFolder());
}

function outputFormat(description: string): Option {
  return new Option("-o, --output <format>", description)
    .choices(["table", "json"])
    .default("table");
}
