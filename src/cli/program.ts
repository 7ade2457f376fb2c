/** All commands and their options. Each command is loaded when it is run, so that `--help` stays quick. */
import { Command, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
import { askedDataFolder } from "./asked-mesh.ts";
import { addAuthorityCommands } from "./authority-commands.ts";
import type { AnalyzeCommandOptions } from "./commands/analyze.ts";
import type { AuditCommandOptions } from "./commands/audit.ts";
import type { AuthzCheckOptions } from "./commands/authz-check.ts";
import type { DemoOptions } from "./commands/demo.ts";
import type { DescribeOptions } from "./commands/describe.ts";
import type { ExplainOptions } from "./commands/explain.ts";
import type { UpOptions } from "./commands/up.ts";
import { addDashboardCommand } from "./dashboard-command.ts";
import { addIstioctlCommands } from "./istioctl-commands.ts";
import { addMeshCommands } from "./mesh-commands.ts";
import {
  bundleEndpointPort,
  cacertsFolder,
  clusterName,
  collect,
  concurrency,
  dataFolder,
  envoyProgram,
  metricsPort,
  networkChoice,
  proxyChoice,
} from "./options.ts";
import { readVersion } from "./package-version.ts";
import { printLine as print, warnLine as warn } from "./print-line.ts";
import { addProxyConfigCommands } from "./proxy-config-commands.ts";

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
  addValidate(program);
  addAnalyze(program);
  addAudit(program);
  addExplain(program);
  addDescribe(program);
  addAuthz(program);
  addIstioctlCommands(program);
  addDashboardCommand(program);
  addDemo(program);
  addProcesses(program);
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

function addValidate(program: Command): void {
  program
    .command("validate")
    .description(
      "Check resources as Istio's schema and its webhook check them; needs no mesh and no cluster",
    )
    .argument("<paths...>", "YAML files, folders of them, or - for standard input")
    .option("--istio", "ask Istio's two gates alone: what only this mesh refuses is a note")
    .option("--json", "print every fault with the gate that found it, as JSON")
    .addHelpText(
      "after",
      `
Errors are what Istio would refuse, and what this mesh does not support yet; warnings are what Istio lets pass with one.
With --istio errors are what Istio would refuse, and nothing else; mesh configuration and kinds of others get notes only.
Exit code: 0 all good, 1 faults or nothing to check, 2 something cannot be read.

Example: kubectl get authorizationpolicies -A -o yaml | hauberk validate -`,
    )
    .action(async (paths: string[], options: { istio?: boolean; json?: boolean }) => {
      const { validateCommand } = await import("./commands/validate.ts");
      process.exitCode = await validateCommand(paths, options, print);
    });
}

function addAnalyze(program: Command): void {
  program
    .command("analyze")
    .description(
      "Say what is odd in a mesh, with istioctl's codes and some of ours; of files, or of the running mesh",
    )
    .argument(
      "[paths...]",
      "YAML files, folders of them, or - for standard input; none: the running mesh",
    )
    .option("-n, --namespace <namespace>", "only what concerns resources of it, and of none")
    .option("-A, --all-namespaces", "what concerns any namespace, as without -n")
    .addOption(
      new Option("-o, --output <format>", "how to print it")
        .choices(["log", "json"])
        .default("log"),
    )
    .addOption(askedDataFolder())
    .addHelpText(
      "after",
      `
The Rego of OPA authorizers is asked of the \`opa\` of your PATH.
Exit code: 0 nothing odd, or only what is worth knowing (Info); 1 something is; 2 something could not be looked at.`,
    )
    .action(async (paths: string[], options: AnalyzeCommandOptions) => {
      const { analyzeCommand } = await import("./commands/analyze.ts");
      process.exitCode = await analyzeCommand(paths, options, { print, warn });
    });
}

function addAudit(program: Command): void {
  program
    .command("audit")
    .description("Hold a mesh against 17 security practices: verdict, evidence and fix of each")
    .argument(
      "[paths...]",
      "YAML files, folders of them, or - for standard input; none: the running mesh",
    )
    .addOption(
      new Option("-o, --output <format>", "how to print it")
        .choices(["log", "json"])
        .default("log"),
    )
    .addOption(askedDataFolder())
    .addHelpText(
      "after",
      "\nExit code: 0 all that can be told is met, 1 something is not, 2 something could not be read.",
    )
    .action(async (paths: string[], options: AuditCommandOptions) => {
      const { auditCommand } = await import("./commands/audit.ts");
      process.exitCode = await auditCommand(paths, options, { print, warn, clock: systemClock });
    });
}

function addExplain(program: Command): void {
  program
    .command("explain")
    .description(
      "Say whether one request would be let through, and which rule decides, of files or of the running mesh",
    )
    .addOption(askedPaths())
    .requiredOption(
      "--from <caller>",
      "caller, as NAMESPACE/WORKLOAD; spiffe://... by its certificate alone; or 'outside'",
    )
    .requiredOption("--to <workload>", "callee, as NAMESPACE/WORKLOAD:PORT")
    .option("--request <request>", "METHOD PATH, as in 'GET /cart'")
    .option("--header <header>", "NAME: VALUE; may be given several times", collect)
    .option(
      "--host <host>",
      "what the client asks for in Host or :authority, as in shop.example.com",
    )
    .option("--claims <file>", "JSON: payload of a token that the callee's sidecar has verified")
    .option(
      "--token <file>",
      "a user's token, as it is, or - to read it from the standard input: each check of it is told, and the token never",
    )
    .option("--show-claims", "tell the values of a token's claims; without, they are hashed")
    .option(
      "--jwks <issuer=file>",
      "JSON Web Key Set of an issuer whose keys are fetched when the mesh runs; may be given several times, and without ISSUER= where there is one such issuer",
      collect,
    )
    .addOption(askedDataFolder())
    .option("--all-notes", "print notes on all of the mesh, not only on what decides here")
    .option("--json", "print the decision as JSON, with all notes")
    .addHelpText(
      "after",
      "\nExit code: 0 allowed, 2 denied or delegated to an external authorizer, 1 the question or the YAML is faulty, or it depends on keys that are not at hand.",
    )
    .action(async (options: ExplainOptions) => {
      const { explainCommand } = await import("./commands/explain.ts");
      process.exitCode = await explainCommand(options, { print, warn });
    });
}

function addDescribe(program: Command): void {
  program
    .command("describe")
    .description(
      "Say what one workload demands of its callers: mutual TLS on each port, and every policy rule as a sentence, of files or of the running mesh",
    )
    .argument("<workload>", "NAMESPACE/WORKLOAD")
    .addOption(askedPaths())
    .addOption(askedDataFolder())
    .option("--all-notes", "print notes on all of the mesh, not only on what decides here")
    .option("--json", "print the description as JSON, with all notes")
    .addHelpText(
      "after",
      "\nExit code: 0, or 1 when there is no such workload or the YAML is faulty.",
    )
    .action(async (workload: string, options: DescribeOptions) => {
      const { describeCommand } = await import("./commands/describe.ts");
      process.exitCode = await describeCommand(workload, options, { print, warn });
    });
}

function addAuthz(program: Command): void {
  program
    .command("authz")
    .description("Questions about authorization")
    .command("check")
    .description(
      "Print the policies that apply to a workload; or, with a caller and a request, whether it is allowed",
    )
    .argument("<workload>", "callee, as NAMESPACE/WORKLOAD, with :PORT when a caller is given")
    .addOption(askedPaths())
    .addOption(askedDataFolder())
    .option(
      "--from <caller>",
      "caller, as NAMESPACE/WORKLOAD; spiffe://... by its certificate alone; or 'outside'",
    )
    .option("--request <request>", "METHOD PATH, as in 'GET /cart'")
    .option("--header <header>", "NAME: VALUE; may be given several times", collect)
    .option(
      "--host <host>",
      "what the client asks for in Host or :authority, as in shop.example.com",
    )
    .option("--claims <file>", "JSON: payload of a token that the callee's sidecar has verified")
    .option("--json", "print the answer as JSON")
    .addHelpText(
      "after",
      `
Without --from it prints ACTION, policy and number of rules. With --from it answers in one line.
Exit code: 0 allowed (or printed), 2 denied, 1 the question or the YAML is faulty. A request that an external authorizer
would have to allow counts as denied, as long as --custom allow does not say that it does.`,
    )
    .addOption(
      new Option("--custom <answer>", "what external authorizers are taken to answer").choices([
        "allow",
        "deny",
      ]),
    )
    .action(async (workload: string, options: AuthzCheckOptions) => {
      const { authzCheckCommand } = await import("./commands/authz-check.ts");
      process.exitCode = await authzCheckCommand(workload, options, { print, warn });
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

/** What `up` starts; hidden, since nobody else can. */
function addProcesses(program: Command): void {
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

/** Files to ask, instead of the mesh that runs. */
function askedPaths(): Option {
  return new Option(
    "-f, --file <path>",
    "YAML file, or folder of them, to ask instead of the mesh that runs; may be given several times",
  ).argParser(collect);
}

function resourcePaths(): Option {
  return new Option("-f, --file <path>", "YAML file, or folder of them; may be given several times")
    .argParser(collect)
    .makeOptionMandatory();
}
