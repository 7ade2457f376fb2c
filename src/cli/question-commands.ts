/** Commands that answer questions: about what is written, or about the mesh that runs. Each is loaded when it is run. */
import { type Command, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
import { askedDataFolder } from "./asked-mesh.ts";
import type { AnalyzeCommandOptions } from "./commands/analyze.ts";
import type { AuditCommandOptions } from "./commands/audit.ts";
import type { AuthzCheckOptions } from "./commands/authz-check.ts";
import type { DescribeOptions } from "./commands/describe.ts";
import type { ExplainOptions } from "./commands/explain.ts";
import { collect } from "./options.ts";
import { printLine as print, warnLine as warn } from "./print-line.ts";

const CALLER = "caller, as NAMESPACE/WORKLOAD; spiffe://... by its certificate alone; or 'outside'";

export function addQuestionCommands(program: Command): void {
  addValidate(program);
  addAnalyze(program);
  addAudit(program);
  addExplain(program);
  addDescribe(program);
  addAuthz(program);
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

interface JsonOption {
  readonly json?: boolean;
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
    .option("--json", "the same as -o json")
    .addOption(askedDataFolder())
    .addHelpText(
      "after",
      `
The Rego of OPA authorizers is asked of the \`opa\` of your PATH.
Exit code: 0 nothing odd, or only what is worth knowing (Info); 1 something is; 2 something could not be looked at.`,
    )
    .action(async (paths: string[], { json, ...asked }: AnalyzeCommandOptions & JsonOption) => {
      const options = { ...asked, ...(json && { output: "json" as const }) };
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
    .option("--json", "the same as -o json")
    .addOption(askedDataFolder())
    .addHelpText(
      "after",
      "\nExit code: 0 all that can be told is met, 1 something is not, 2 something could not be read.",
    )
    .action(async (paths: string[], { json, ...asked }: AuditCommandOptions & JsonOption) => {
      const options = { ...asked, ...(json && { output: "json" as const }) };
      const { auditCommand } = await import("./commands/audit.ts");
      process.exitCode = await auditCommand(paths, options, { print, warn, clock: systemClock });
    });
}

function addExplain(program: Command): void {
  const explain = program
    .command("explain")
    .description(
      "Say whether one request would be let through, and which rule decides, of files or of the running mesh",
    )
    .addOption(askedPaths())
    .requiredOption("--from <caller>", CALLER)
    .option("--address <ip>", "where the connection comes from, for rules that ask")
    .requiredOption("--to <workload>", "callee, as NAMESPACE/WORKLOAD:PORT");
  ofRequest(explain)
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
      "\nExit code: 0 allowed, 2 denied, delegated to an external authorizer or answered by a route, 1 the question or the YAML is faulty, or it depends on keys that are not at hand.",
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
  const check = program
    .command("authz")
    .description("Questions about authorization")
    .command("check")
    .description(
      "Print the policies that apply to a workload; or, with a caller and a request, whether it is allowed",
    )
    .argument("<workload>", "callee, as NAMESPACE/WORKLOAD, with :PORT when a caller is given")
    .addOption(askedPaths())
    .addOption(askedDataFolder())
    .option("--from <caller>", CALLER)
    .option("--address <ip>", "where the connection comes from, for rules that ask");
  ofRequest(check)
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

/** What is asked about. */
function ofRequest(command: Command): Command {
  return command
    .option("--request <request>", "METHOD PATH, as in 'GET /cart'")
    .option("--header <header>", "NAME: VALUE; may be given several times", collect)
    .option(
      "--host <host>",
      "what the client asks for in Host or :authority, as in shop.example.com; then routes are followed",
    )
    .option("--claims <file>", "JSON: payload of a token that the callee's sidecar has verified");
}

/** Files to ask, instead of the mesh that runs. */
function askedPaths(): Option {
  return new Option(
    "-f, --file <path>",
    "YAML file, or folder of them, to ask instead of the mesh that runs; may be given several times",
  ).argParser(collect);
}
