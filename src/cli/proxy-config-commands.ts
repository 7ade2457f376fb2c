/** `hauberk proxy-config`, by the words and options of istioctl. Each command is loaded when it is run. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../runtime/clock.ts";
import { LOG_LEVELS } from "../runtime/log.ts";
import { ofAskedMesh } from "./asked-mesh.ts";
import type { ProxyConfigOptions, SidecarOptions } from "./commands/proxy-config.ts";
import { type DumpPartName, OUTPUTS } from "./istioctl/print-dump.ts";
import { levelsProblem } from "./istioctl/written-levels.ts";
import { parsePort } from "./options.ts";
import { printLine as print } from "./print-line.ts";

const EXIT_CODE =
  "Exit code: 0, or 1 when there is no such pod, it has no sidecar, or its sidecar does not answer.";
const SHAPE =
  "-o json and -o yaml are in the shape of Envoy's configuration, made from the sidecar's own; docs/guides/istioctl.md says what it leaves out.";

const BY_PORT = "of this port";
const BY_ADDRESS = "of this address";

/** Options that choose among what is shown. */
const FILTERS = {
  port: () => new Option("--port <port>", BY_PORT).argParser(parsePort),
  address: () => new Option("--address <address>", BY_ADDRESS),
  type: () => new Option("--type <type>", "of this type: HTTP, TCP or HTTP+TCP"),
  fqdn: () => new Option("--fqdn <name>", "whose service has this in its name"),
  direction: () => new Option("--direction <direction>", "inbound or outbound"),
  subset: () => new Option("--subset <name>", "whose subset has this in its name"),
  name: () => new Option("--name <name>", "the routes of this name, such as 8080"),
  cluster: () => new Option("--cluster <name>", "of this cluster, by its whole name"),
  status: () => new Option("--status <status>", "of this status, such as healthy"),
} as const;

type Filter = keyof typeof FILTERS;

const PARTS: readonly {
  readonly part: DumpPartName;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly filters: readonly Filter[];
}[] = [
  {
    part: "listeners",
    aliases: ["listener", "l"],
    description: "Show where a sidecar takes connections, and where each leads",
    filters: ["address", "port", "type"],
  },
  {
    part: "clusters",
    aliases: ["cluster", "c"],
    description: "Show the services that a sidecar can reach, and the pod's own ports",
    filters: ["fqdn", "direction", "subset", "port"],
  },
  {
    part: "routes",
    aliases: ["route", "r"],
    description: "Show where requests go, and which VirtualService says so",
    filters: ["name"],
  },
  {
    part: "endpoints",
    aliases: ["endpoint", "ep"],
    description: "Show the pods behind them, and whether a connection is mutual TLS",
    filters: ["address", "port", "cluster", "status"],
  },
  {
    part: "bootstrap",
    aliases: ["b"],
    description: "Show who a sidecar is",
    filters: [],
  },
];

export function addProxyConfigCommands(program: Command): void {
  const parent = program
    .command("proxy-config")
    .alias("pc")
    .description("What a sidecar of the running mesh has at this moment");
  addSecretCommand(parent);
  for (const part of PARTS) addPartCommand(parent, part);
  addAllCommand(parent);
  addLogCommand(parent);
}

function addSecretCommand(parent: Command): void {
  ofPodOrFile(parent.command("secret").alias("secrets").alias("s"))
    .description("Show the certificate a sidecar proves itself with, and the roots it trusts")
    .addHelpText(
      "after",
      `\nPrivate keys are never shown: the sidecar does not tell them.\n${EXIT_CODE}`,
    )
    .action(async (pod: string | undefined, options: ProxyConfigOptions) => {
      const { proxyConfigSecretCommand } = await import("./commands/proxy-config.ts");
      process.exitCode = await proxyConfigSecretCommand(pod, options, {
        print,
        clock: systemClock,
      });
    });
}

function addPartCommand(
  parent: Command,
  { part, aliases, description, filters }: (typeof PARTS)[number],
): void {
  const command = ofPodOrFile(parent.command(part).aliases([...aliases]))
    .description(description)
    .addHelpText("after", `\n${SHAPE}\n${EXIT_CODE}`)
    .action(async (pod: string | undefined, options: ProxyConfigOptions) => {
      const { proxyConfigPartCommand } = await import("./commands/proxy-config.ts");
      const output = part === "bootstrap" && options.output === "short" ? "json" : options.output;
      process.exitCode = await proxyConfigPartCommand(part, pod, { ...options, output, print });
    });
  for (const filter of filters) command.addOption(FILTERS[filter]());
}

function addAllCommand(parent: Command): void {
  const command = ofPodOrFile(parent.command("all").alias("a"))
    .description("Show all of it, one after the other")
    .option("--with-headers", "say before each table what it is")
    .addHelpText("after", `\n${SHAPE}\n${EXIT_CODE}`)
    .action(
      async (
        pod: string | undefined,
        options: ProxyConfigOptions & { readonly withHeaders?: boolean },
      ) => {
        const { proxyConfigAllCommand } = await import("./commands/proxy-config.ts");
        const surroundings = { print, clock: systemClock };
        process.exitCode = await proxyConfigAllCommand(pod, options, surroundings);
      },
    );
  for (const filter of Object.values(FILTERS)) command.addOption(filter());
}

function addLogCommand(parent: Command): void {
  ofPod(parent.command("log").alias("o"))
    .argument("<pod>", "POD, POD.NAMESPACE or deploy/NAME")
    .description("Show how much a sidecar logs, or change it until the sidecar is started again")
    .addOption(
      new Option(
        "--level <level>",
        `from now on: ${LOG_LEVELS.join(", ")}; or of single scopes, SCOPE:LEVEL with commas`,
      ).argParser(writtenLevels),
    )
    .addHelpText("after", `\n${EXIT_CODE}`)
    .action(async (pod: string, options: SidecarOptions & { readonly level?: string }) => {
      const { proxyConfigLogCommand } = await import("./commands/proxy-config.ts");
      process.exitCode = await proxyConfigLogCommand(pod, { ...options, print });
    });
}

/** @throws InvalidArgumentError */
function writtenLevels(text: string): string {
  const problem = levelsProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  return text;
}

function ofPodOrFile(command: Command): Command {
  return ofPod(command)
    .argument("[pod]", "POD, POD.NAMESPACE or deploy/NAME; none with --file")
    .option("-f, --file <path>", "an Envoy's config dump, to be shown instead")
    .addOption(
      new Option("-o, --output <format>", "short is a table; table is another word for it")
        .choices(OUTPUTS)
        .default("short"),
    );
}

function ofPod(command: Command): Command {
  return ofAskedMesh(command.option("-n, --namespace <namespace>", "where it is", "default"));
}
