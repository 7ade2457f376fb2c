/** `hauberk dashboard`, by istioctl's word. It is loaded when it is run. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
import { askedDataFolder } from "./asked-mesh.ts";
import { printLine as print } from "./print-line.ts";

export function addDashboardCommand(program: Command): void {
  program
    .command("dashboard")
    .alias("dash")
    .alias("d")
    .argument("[page]", "as istioctl takes it, such as kiali: there is this page alone")
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
    .action(
      async (
        _page: string | undefined,
        options: { readonly data: string; readonly port: number },
      ) => {
        const [{ dashboardCommand }, { stopSignal }] = await Promise.all([
          import("./commands/dashboard.ts"),
          import("./stop-signal.ts"),
        ]);
        const signal = stopSignal();
        process.exitCode = await dashboardCommand(options, { print, clock: systemClock, signal });
      },
    );
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("Expected a number from 0 to 65535.");
}
