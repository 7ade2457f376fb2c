/** The commands that speak with a mesh that runs on this machine. Each is loaded when it is run. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
import type { LogsOptions } from "./commands/logs.ts";
import type { RunOptions } from "./commands/run.ts";
import { collect, dataFolder } from "./options.ts";
import { printLine as print } from "./print-line.ts";

const warn = (line: string): void => {
  process.stderr.write(`hauberk: ${line}\n`);
};

export function addMeshCommands(program: Command): void {
  addRun(program);
  addStatus(program);
  addLogs(program);
  addDown(program);
  addRemoteCluster(program);
}

function addRun(program: Command): void {
  program
    .command("run")
    .description("Run any program as a workload of the running mesh, for as long as it lives")
    .argument("<command...>", "the program and its arguments, after --")
    .requiredOption("--name <name>", "of the workload, and of the Service that leads to it")
    .option("-n, --namespace <name>", "where it joins", "default")
    .option("--service-account <name>", "whose identity it gets", "default")
    .option(
      "--port <port>",
      "PORT, http:PORT, http2:PORT or tcp:PORT it serves; may be repeated",
      collect,
    )
    .option(
      "--listens-on <port>",
      "where it listens when not on $PORT: PORT, or DECLARED=PORT",
      collect,
    )
    .option("--label <label>", "KEY=VALUE for policies to select it by, beside app=NAME", collect)
    .addOption(dataFolder())
    .passThroughOptions()
    .addHelpText(
      "after",
      "\nExample: hauberk run --name billing -n production --service-account billing --port 8080 -- npm run dev\n" +
        "Exit code: the program's own; 128+n when signal n ended it; 125 it could not join; 126, 127 it could not be run.",
    )
    .action(async (command: string[], options: RunOptions) => {
      const { runCommand } = await import("./commands/run.ts");
      // Nobody reads our remarks any more; the program, and its end, still count.
      process.stderr.on("error", () => process.stderr.destroy());
      const [file = "", ...parameters] = command;
      process.exitCode = await runCommand([file, ...parameters], { options, say: warn });
    });
}

function addStatus(program: Command): void {
  program
    .command("status")
    .description("Show what runs in the mesh: pods, processes, identities, certificates, ports")
    .addOption(dataFolder())
    .option("--json", "print it as JSON")
    .addHelpText("after", "\nExit code: 0 all is well, 1 something is down or no mesh runs.")
    .action(async (options: { data: string; json?: boolean }) => {
      const { statusCommand } = await import("./commands/status.ts");
      process.exitCode = await statusCommand(options, { print, clock: systemClock });
    });
}

function addLogs(program: Command): void {
  program
    .command("logs")
    .description("Show the decisions of all sidecars by time, each with its reason")
    .argument("[pod]", "NAMESPACE/POD or NAMESPACE/DEPLOYMENT; the namespace may be left out")
    .option("-f, --follow", "go on with what happens from now on")
    .option("--denied", "only what was refused, each with its full explanation")
    .option(
      "--request <id>",
      "only calls with this x-request-id, along their whole way, each with its full explanation",
    )
    .addOption(
      new Option(
        "--plaintext",
        "who called in plaintext: each caller and callee once, with how often, and when last",
      ).conflicts(["follow", "denied", "request"]),
    )
    .option("--json", "print access log entries, one JSON object a line")
    .option("--tail <count>", "show only the newest of those already there", parseCount, 10_000)
    .addOption(dataFolder())
    .action(async (pod: string | undefined, options: LogsOptions) => {
      const [{ logsCommand }, { stopSignal }] = await Promise.all([
        import("./commands/logs.ts"),
        import("./stop-signal.ts"),
      ]);
      const signal = stopSignal();
      process.exitCode = await logsCommand(pod, { options, print, warn, signal });
    });
}

function addDown(program: Command): void {
  program
    .command("down")
    .description("End the mesh, and whatever a supervisor that was killed left running")
    .addOption(dataFolder())
    .action(async (options: { data: string }) => {
      const { downCommand } = await import("./commands/down.ts");
      process.exitCode = await downCommand(options, print);
    });
}

function addRemoteCluster(program: Command): void {
  program
    .command("remote-cluster")
    .description(
      "Print the RemoteCluster by which another mesh under the same root calls services of the running one",
    )
    .addOption(dataFolder())
    .addHelpText(
      "after",
      `
There is no secret in it: control planes know each other by certificates. Put it among the files of the other mesh.
Exit code: 0 printed, 1 no mesh runs there, or none that others can reach.

Example: hauberk remote-cluster --data .hauberk/east > east.yaml && mv east.yaml west/`,
    )
    .action(async (options: { data: string }) => {
      const { remoteClusterCommand } = await import("./commands/remote-cluster.ts");
      process.exitCode = await remoteClusterCommand(options, print);
    });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= 1_000_000) return count;
  throw new InvalidArgumentError("Expected a number from 0 to 1000000.");
}
