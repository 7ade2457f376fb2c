/** `hauberk ca` and its steps. Each command is loaded when it is run. */
import { type Command, InvalidArgumentError } from "commander";
import { parseGoDuration } from "../api/go-duration.ts";
import type { RotationStep } from "../ca/rotation.ts";
import { systemClock } from "../runtime/clock.ts";
import { askedDataFolder } from "./asked-mesh.ts";
import type { AuthorityStepOptions } from "./commands/ca.ts";
import { dataFolder } from "./options.ts";
import { printLine as print, warnLine as warn } from "./print-line.ts";

/** How long `--wait` waits where it is not said. */
const DEFAULT_WAIT_MS = 10 * 60_000;

const STEPS: readonly (readonly [RotationStep, string])[] = [
  ["prepare", "Have a new authority trusted by all; it signs nothing yet"],
  [
    "activate",
    "Have the prepared authority sign, or the one rolled back; waits for all to trust it",
  ],
  ["taint", "Have whoever has a certificate of the former authority renew it now"],
  ["revoke", "Have the former authority trusted no more; waits for every sidecar to have renewed"],
  ["rollback", "Go back: drop what is prepared, or have the former authority sign again"],
];

export function addAuthorityCommands(program: Command): void {
  const ca = program
    .command("ca")
    .description("The certificate authorities of the running mesh, and how one replaces another");
  addStatus(ca);
  for (const [step, description] of STEPS) addStep(ca, step, description);
  addRenew(ca);
  addMetrics(ca);
}

function addStatus(ca: Command): void {
  ca.command("status")
    .description("Show authorities, who signed each sidecar's certificate, and the next step")
    .addOption(askedDataFolder())
    .option("--json", "print it as JSON")
    .addHelpText(
      "after",
      `
Warnings are leaves not renewed at 50, 75 and 90 % of their life, authorities that end within 60 days, a refused custom
authority, a rotation that has waited ten minutes or longer, and what was rolled back by hand. What a strict verifier would refuse in an authority is a note.
Exit code: 0 there is no warning, 1 there is one, or no mesh runs.`,
    )
    .action(async (options: { data: string; json?: boolean }) => {
      const { caStatusCommand } = await import("./commands/ca.ts");
      process.exitCode = await caStatusCommand(options, { print, clock: systemClock });
    });
}

function addStep(ca: Command, step: RotationStep, description: string): void {
  const command = ca.command(step).description(description).addOption(dataFolder());
  if (step === "prepare")
    command.option(
      "--from <folder>",
      "ca-cert.pem, ca-key.pem, root-cert.pem and cert-chain.pem of it; without, a self-signed one is made",
    );
  if (step === "activate" || step === "revoke")
    command.option("--force", "do not wait for sidecars that are not ready; says what that breaks");
  if (step !== "rollback")
    command.option(
      "--wait [time]",
      "wait, 10m or as long as said, until the step can be taken, or the next one after it",
      parseWait,
    );
  command.addHelpText(
    "after",
    "\nExit code: 0 taken, 1 refused, or sidecars are not ready: they are named.",
  );
  command.action(async (options: Omit<AuthorityStepOptions, "wait"> & { wait?: number | true }) => {
    const { caStepCommand } = await import("./commands/ca.ts");
    const { wait, ...rest } = options;
    const waitMs = wait === true ? DEFAULT_WAIT_MS : wait;
    const wanted = waitMs === undefined ? rest : { ...rest, wait: waitMs };
    process.exitCode = await caStepCommand(step, wanted, { print, warn, clock: systemClock });
  });
}

function addRenew(ca: Command): void {
  ca.command("renew")
    .description("While the mesh is down: replace an authority of its own that is not valid now")
    .addOption(dataFolder())
    .addHelpText(
      "after",
      `
For an authority that was made under a wrong clock, so that it is not valid yet and the mesh does not start. Its key is kept.
Exit code: 0 replaced, 1 it is valid, or the mesh runs; nothing was changed.`,
    )
    .action(async (options: { data: string }) => {
      const { caRenewCommand } = await import("./commands/ca-renew.ts");
      process.exitCode = await caRenewCommand(options, { print, warn, clock: systemClock });
    });
}

function addMetrics(ca: Command): void {
  ca.command("metrics")
    .description("Print the control plane's metrics, in the text format of Prometheus")
    .addOption(dataFolder())
    .action(async (options: { data: string }) => {
      const { caMetricsCommand } = await import("./commands/ca.ts");
      process.exitCode = await caMetricsCommand(options, print);
    });
}

function parseWait(text: string): number {
  const parsed = parseGoDuration(text);
  if (parsed !== undefined && parsed >= 0) return parsed;
  throw new InvalidArgumentError("Expected a Go duration, such as 10m.");
}
