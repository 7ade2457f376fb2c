/** All commands and their options. Each command is loaded when it is run, so that `--help` stays quick. */
import { Command, Option } from "commander";
import { addAuthorityCommands } from "./authority-commands.ts";
import type { DemoOptions } from "./commands/demo.ts";
import type { UpOptions } from "./commands/up.ts";
import { addDashboardCommand } from "./dashboard-command.ts";
import { addIstioctlCommands } from "./istioctl-commands.ts";
import { addMeshCommands } from "./mesh-commands.ts";
import {
  bundleEndpointPort,
  cacertsFolder,
  clusterName,
  collect,
  dataFolder,
  envoyProgram,
  metricsPort,
  networkChoice,
  proxyChoice,
} from "./options.ts";
import { readVersion } from "./package-version.ts";
import { printLine as print } from "./print-line.ts";
import { addProcessCommands } from "./process-commands.ts";
import { addProxyConfigCommands } from "./proxy-config-commands.ts";
import { addQuestionCommands } from "./question-commands.ts";

/** A command line that throws instead of ending the process, and leaves its exit code in `process.exitCode`. */
export function buildProgram(): Command {
  const program = new Command("hauberk")
    .description("A zero-trust service mesh: Istio's security resources, one meaning everywhere.")
    .version(readVersion())
    .enablePositionalOptions()
    .exitOverride();
  addUp(program);
  addMeshCommands(program);
  addAuthorityCommands(program);
  addProxyConfigCommands(program);
  addQuestionCommands(program);
  addIstioctlCommands(program);
  addDashboardCommand(program);
  addDemo(program);
  addProcessCommands(program);
  nameHelp(program, "hauberk");
  return program;
}

/** Of each command its own. @param line what is written to call it */
function nameHelp(command: Command, line: string): void {
  command.showHelpAfterError(`(see \`${line} --help\`)`);
  for (const one of command.commands) nameHelp(one, `${line} ${one.name()}`);
}

function addUp(program: Command): void {
  const up = program.command("up");
  // Whoever names the folder alone is told the whole line.
  up.configureOutput({
    outputError: (text, write) => {
      const [path] = up.args;
      const isFolderMissed =
        path !== undefined && text.includes("'-f, --file <path>' not specified");
      write(isFolderMissed ? `${text}did you mean \`hauberk up -f ${path}\`?\n` : text);
    },
  });
  up.description(
    "Run a mesh on this machine: every Deployment, StatefulSet and Job as processes, a sidecar beside each injected pod",
  )
    .addOption(resourcePaths())
    .addOption(dataFolder())
    .addOption(networkChoice())
    .addOption(proxyChoice())
    .addOption(envoyProgram())
    .addOption(cacertsFolder())
    .addOption(clusterName())
    .addOption(bundleEndpointPort())
    .addOption(metricsPort())
    .action(async (options: UpOptions) => {
      const { upCommand } = await import("./commands/up.ts");
      process.exitCode = await upCommand(options, print);
    });
}

function addDemo(program: Command): void {
  program
    .command("demo")
    .description(
      "Run an example mesh and show its verdicts, each found again in the log of the sidecar that decided",
    )
    .option("--data <folder>", "where the mesh keeps its state", ".hauberk/demo")
    .option("--example <name>", "which example: production or first-verdict", "production")
    .addOption(networkChoice())
    .addOption(proxyChoice())
    .addOption(envoyProgram())
    .action(async (options: DemoOptions) => {
      const { demoCommand } = await import("./commands/demo.ts");
      process.exitCode = await demoCommand(options, print);
    });
}

function resourcePaths(): Option {
  return new Option("-f, --file <path>", "YAML file, or folder of them; may be given several times")
    .argParser(collect)
    .makeOptionMandatory();
}
