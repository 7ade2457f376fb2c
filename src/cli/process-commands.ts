/** The processes that `up` starts, as commands; hidden, since nobody else can start them. */
import { type Command, Option } from "commander";
import { concurrency } from "./options.ts";

export function addProcessCommands(program: Command): void {
  const startedByUp = "started by `up`, instructed over file descriptor 3";
  program
    .command("control-plane", { hidden: true })
    .description(`The control plane process; ${startedByUp}`)
    .action(async () => {
      const { controlPlaneCommand } = await import("./commands/control-plane.ts");
      process.exitCode = await controlPlaneCommand();
    });
  program
    .command("sidecar", { hidden: true })
    .description(`One sidecar; ${startedByUp}`)
    .addOption(concurrency())
    .action(async ({ concurrency: workers }: { concurrency: number }) => {
      if (workers > 1) {
        const { sidecarGroupCommand } = await import("./commands/sidecar-group.ts");
        process.exitCode = await sidecarGroupCommand(workers);
      } else {
        const { sidecarCommand } = await import("./commands/sidecar.ts");
        process.exitCode = await sidecarCommand();
      }
    });
  program
    .command("envoy-agent", { hidden: true })
    .description(`One Envoy with its agent; ${startedByUp}`)
    .addOption(
      new Option("--concurrency <number>", "Envoy's threads; 0: one for each core")
        .argParser(Number)
        .default(1),
    )
    .action(async ({ concurrency: threads }: { concurrency: number }) => {
      const { envoyAgentCommand } = await import("./commands/envoy-agent.ts");
      process.exitCode = await envoyAgentCommand(threads);
    });
  program
    .command("gateway", { hidden: true })
    .description(`The gateway process of a mesh in namespaces; ${startedByUp}`)
    .action(async () => {
      const { gatewayCommand } = await import("./commands/gateway.ts");
      process.exitCode = await gatewayCommand();
    });
}
