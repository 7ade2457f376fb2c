/**
 * The main job in one command: runs an example mesh and shows its verdicts. Exit 0: every row came out as expected;
 * 1: one surprised, or the mesh did not come up.
 */
import { join } from "node:path";
import { readResourceFiles } from "../../control/resource-files.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import type { MeshEvent } from "../../local/mesh-event.ts";
import { takeMeshLock } from "../../local/mesh-lock.ts";
import type { DataPlane } from "../../local/pods/data-plane.ts";
import { buildSnapshot } from "../../policy/mesh-snapshot.ts";
import { copyExample, type Example, findExample } from "../demo/example.ts";
import { followDecisions } from "../demo/follow-decisions.ts";
import { LiveReport } from "../demo/live-report.ts";
import { paintFor } from "../demo/paint.ts";
import { plainReport } from "../demo/plain-report.ts";
import { formatPodTable } from "../demo/pod-table.ts";
import type { Report } from "../demo/report.ts";
import type { Row } from "../demo/row.ts";
import { Screen } from "../demo/screen.ts";
import { Stage } from "../demo/stage.ts";
import { enterNetwork } from "../enter-network.ts";
import { formatMeshEvent } from "../format-mesh-event.ts";
import type { NetworkChoice } from "../network-choice.ts";
import type { Print } from "../print-line.ts";
import { type MeshToStart, type StartedMesh, startMesh } from "../start-mesh.ts";
import { stopSignal } from "../stop-signal.ts";

export interface DemoOptions {
  readonly data: string;
  /** Name of a folder below `examples`. */
  readonly example: string;
  readonly network: NetworkChoice;
  readonly proxy?: DataPlane;
  /** Path of Envoy's program. */
  readonly envoy?: string;
}

/** `HAUBERK_DEMO_BREAK=tls` swaps files of the example for those in its folder `break/tls`: the demo must then fail. */
const BREAK = "HAUBERK_DEMO_BREAK";
const DEFAULT_COLUMNS = 100;

/** @throws UnknownExampleError, MeshStartError */
export async function demoCommand(
  { data, example: name, network: choice, proxy, envoy }: DemoOptions,
  print: Print,
): Promise<number> {
  const named = findExample(name);
  const network = await enterNetwork({ network: choice, data }, (line) =>
    reportFor(named, print).print(line),
  );
  if (network.mode === "ran-inside") return network.exitCode;
  const signal = stopSignal();
  const example = { ...named, rows: named.rows.filter((row) => isPlayed(row, network.mode)) };
  const report = reportFor(example, print);
  const folder = await prepareFiles(example, data);
  const started = await startQuietly({ folder, data, network, proxy, envoy }, (line) =>
    report.print(line),
  );
  if (started === undefined) return 1;
  try {
    await printPods(started, { folder, report });
    const stage = new Stage(started, folder);
    await stage.programsListen();
    const surprises = await playRows(example, { stage, started, report, signal });
    if (signal.aborted) return 1;
    printSummary({ example, surprises, data, folder }, report);
    if (process.stdout.isTTY && surprises === 0) await stayUp(started, { report, signal });
    return surprises === 0 ? 0 : 1;
  } finally {
    report.print("stopping");
    await started.close();
  }
}

/** Some rows are about one kind of network only. */
function isPlayed({ network }: Row, mode: MeshToStart["network"]["mode"]): boolean {
  return network === undefined || network === mode;
}

function reportFor({ rows }: Example, print: Print): Report {
  const { stdout } = process;
  if (!stdout.isTTY || process.env["TERM"] === "dumb") return plainReport(print);
  const screen = new Screen({
    write: (text) => stdout.write(text),
    columns: () => stdout.columns || DEFAULT_COLUMNS,
  });
  return new LiveReport(screen, { paint: paintFor(process.env), rows: rows.length });
}

/** Never over the files of a mesh that runs there: that there is one is an error. */
async function prepareFiles(example: Example, data: string): Promise<string> {
  const directory = new DataDirectory(data);
  const lock = await takeMeshLock(directory.lock);
  try {
    const to = join(directory.path, "mesh-files");
    return await copyExample(example, { to, broken: process.env[BREAK] });
  } finally {
    await lock.release();
  }
}

/** Pods that come up are told all together, afterwards. */
async function startQuietly(
  { folder, ...to }: Omit<MeshToStart, "file" | "tell"> & { readonly folder: string },
  print: Print,
): Promise<StartedMesh | undefined> {
  let phase: "starting" | "up" = "starting";
  const tell = (event: MeshEvent): readonly string[] =>
    phase === "starting" && event.type === "pod-started" ? [] : formatMeshEvent(event);
  const started = await startMesh({ file: [folder], tell, ...to }, print);
  phase = "up";
  return started;
}

async function printPods(
  { mesh }: StartedMesh,
  { folder, report }: { readonly folder: string; readonly report: Report },
): Promise<void> {
  const { resources } = await readResourceFiles([folder]);
  const snapshot = buildSnapshot({ resources, workloads: mesh.workloads, rootsPem: [] });
  report.print("");
  for (const line of formatPodTable(snapshot)) report.print(line);
}

/** @returns how many rows came out otherwise than expected */
async function playRows(
  { rows }: Example,
  what: {
    readonly stage: Stage;
    readonly started: StartedMesh;
    readonly report: Report;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { stage, started, report, signal } = what;
  let surprises = 0;
  for (const [index, row] of rows.entries()) {
    if (signal.aborted) break;
    report.begin(index + 1, row);
    const finding = await row.play(stage);
    if (finding.surprises.length > 0) surprises++;
    report.end(index + 1, { row, finding });
    if (index === 0) report.print(`   time ${started.seconds().toFixed(1)} s since the first line`);
  }
  return surprises;
}

function printSummary(
  what: {
    readonly example: Example;
    readonly surprises: number;
    readonly data: string;
    readonly folder: string;
  },
  report: Report,
): void {
  const print = (line: string): void => report.print(line);
  const { example, surprises, data, folder } = what;
  const { name, rows, logToRead, question } = example;
  print("");
  print(
    surprises === 0
      ? `All ${rows.length} rows came out as expected.`
      : `${surprises} of ${rows.length} rows came out otherwise than expected.`,
  );
  report.printWhole(`The mesh runs from a copy of examples/${name}: ${folder}`);
  report.printWhole(`Read what the sidecars wrote:  ${data}/logs/${logToRead}/access.log`);
  report.printWhole(
    `Ask about any other request:   npx hauberk explain -f examples/${name} ${question}`,
  );
}

async function stayUp(
  { mesh, dataDirectory }: StartedMesh,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
): Promise<void> {
  report.print("");
  report.print(
    "The mesh stays up: change a policy in that copy, and see below what it does. Ctrl-C stops it.",
  );
  report.print("");
  const followed = {
    workloads: () => mesh.workloads.filter(({ injected }) => injected),
    directory: join(dataDirectory.path, "logs"),
  };
  await followDecisions(followed, {
    tell: ({ entry, judge }) => report.decided(entry, judge),
    signal,
  });
}
