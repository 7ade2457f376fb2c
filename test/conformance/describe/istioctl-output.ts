/** istioctl's commands over an Envoy's dump, and what upstream prints for each. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { authorizationSummary } from "../../../src/cli/istioctl/authorization-summary.ts";
import {
  describePod,
  describeService,
} from "../../../src/cli/istioctl/describe/describe-cluster.ts";
import { virtualServicePath } from "../../../src/cli/istioctl/describe/proxy-rules.ts";
import {
  type DumpPartName,
  type Output,
  printAll,
  printPart,
  sorted,
} from "../../../src/cli/istioctl/print-dump.ts";
import { dumpOfEnvoy, type ProxyDump } from "../../../src/cli/istioctl/proxy-dump.ts";
import { secretSummary } from "../../../src/cli/istioctl/secret-summary.ts";
import { readDump } from "../../../src/cli/read-dump.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import { NO_OBJECTS } from "./cluster-of-case.ts";

type OutputCase = ConformanceCase & {
  readonly command: readonly string[];
  readonly input?: string;
  readonly expectedOutput?: string;
  readonly outputContains?: string;
  readonly error?: boolean;
  readonly format?: string;
  readonly filterNamespace?: string;
  /** Whose VirtualService is looked for in the dump. */
  readonly service?: { readonly name: string; readonly namespace: string; readonly port: number };
};

/** The tables were recorded after every certificate but the roots had ended. */
const NOW = new Date("2026-01-01T00:00:00Z");
const PARTS: Readonly<Record<string, DumpPartName>> = {
  endpoint: "endpoints",
  endpoints: "endpoints",
  route: "routes",
  routes: "routes",
  cluster: "clusters",
  clusters: "clusters",
  listener: "listeners",
  listeners: "listeners",
  bootstrap: "bootstrap",
};

export const istioctlOutput: TableRunner = table<OutputCase>({
  fields: [
    "command",
    "input",
    "expectedOutput",
    "outputContains",
    "error",
    "format",
    "filterNamespace",
    "service",
  ],
  exclusions: [
    {
      reason: "ztunnel is of Istio's ambient mode, which has no form here",
      applies: ({ command }) => command[0] === "ztunnel-config",
    },
    {
      reason: "ECDS carries Envoy's extensions (Wasm), which have no form here",
      applies: ({ command }) => command[1] === "ecds",
    },
    {
      reason:
        "what istiod and a proxy have is compared by version here, never line by line (CTL-27)",
      applies: ({ command }) => command[0] === "proxy-status",
    },
  ],
  run: async (test, folder) => {
    const { lines, failed } = await printed(test, folder);
    const got = lines.map((line) => `${line}\n`).join("");
    if (test.outputContains !== undefined) {
      const holds = got.includes(test.outputContains) && failed === (test.error ?? false);
      return holds
        ? { outcome: "passed" }
        : { outcome: "failed", expected: test.outputContains, got };
    }
    return compareOutput(test, got);
  },
});

/** Tables to the blank; JSON and YAML by what they say. */
function compareOutput({ expectedOutput = "", format }: OutputCase, got: string): CaseOutcome {
  if (format === "json") return compare({ expected: normal(expectedOutput), got: normal(got) });
  if (format === "yaml") return compare({ expected: unquoted(expectedOutput), got: unquoted(got) });
  return compare({ expected: expectedOutput.trimEnd(), got: got.trimEnd() });
}

function normal(text: string): string {
  return JSON.stringify(sorted(JSON.parse(text)));
}

function unquoted(text: string): string {
  return text.replace(/["']/g, "").trimEnd();
}

interface Printed {
  readonly lines: readonly string[];
  readonly failed: boolean;
}

async function printed(test: OutputCase, folder: string): Promise<Printed> {
  try {
    return { lines: await run(test, folder), failed: false };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { lines: [`Error: ${message}`], failed: true };
  }
}

async function run(test: OutputCase, folder: string): Promise<readonly string[]> {
  const { command, service } = test;
  const [first, second, third = ""] = command;
  if (second === "describe" && service === undefined) return describeNothing(third, command[3]);
  const dump = test.input === undefined ? undefined : dumpIn(join(folder, test.input));
  if (second === "describe" && dump !== undefined && service !== undefined) {
    const { port, name, namespace } = service;
    const asked = { service: { metadata: { name, namespace } }, port, config: dump.config };
    return [virtualServicePath(asked) ?? ""];
  }
  if (second === "authz") {
    const file = command.find((one) => one.startsWith("-f "))?.slice(2) ?? "";
    return authorizationSummary((dump ?? dumpOfEnvoy(await readDump(file))).config.listeners);
  }
  if (first !== "proxy-config" || dump === undefined) throw new Error("no such command here");
  return proxyConfig(test, dump);
}

function proxyConfig({ name, command }: OutputCase, dump: ProxyDump): readonly string[] {
  const output = outputOf(command);
  const filter = name.includes("portfilter") ? { port: 8080 } : {};
  if (command[1] === "secret") return secretSummary(dump.secrets, { now: NOW });
  if (command[1] === "all") {
    return printAll(dump, { output, now: NOW, withHeaders: command.includes("--headers") });
  }
  const part = PARTS[command[1] ?? ""];
  if (part === undefined) throw new Error(`no proxy-config ${command[1]} here`);
  return printPart(part, dump, { output, ...filter });
}

function outputOf(command: readonly string[]): Output {
  const asked = command[command.indexOf("-o") + 1];
  return asked === "json" || asked === "yaml" ? asked : "short";
}

function describeNothing(kind: string, name = ""): Promise<readonly string[]> {
  const named = { namespace: "default", name };
  return kind.startsWith("po")
    ? describePod(named, NO_OBJECTS)
    : describeService(named, NO_OBJECTS);
}

function dumpIn(path: string): ProxyDump {
  return dumpOfEnvoy(JSON.parse(readFileSync(path, "utf8")));
}
