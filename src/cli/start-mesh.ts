/** What `up` and `demo` share: read the user's files, say what is wrong with them, start the mesh, tell its story. */
import { formatLocation, type Issue, type Notice } from "../api/resource.ts";
import { readResourceFiles } from "../control/resource-files.ts";
import { DataDirectory } from "../local/data-directory.ts";
import { LocalMesh, type MeshEvent } from "../local/local-mesh.ts";
import type { Workload } from "../policy/workload.ts";
import { systemClock } from "../runtime/clock.ts";

export type Print = (line: string) => void;

/** In one sentence, DESIGN 4a. */
const PROTECTION =
  "loopback mode: all programs run as one user, so the mesh rules cooperating programs and is no boundary against a hostile one";

/** @returns undefined when the files have issues; they have been printed, and nothing was started */
export async function startMesh(
  { file: paths, data }: { readonly file: readonly string[]; readonly data: string },
  print: Print,
): Promise<LocalMesh | undefined> {
  const startedAt = performance.now();
  print(`hauberk up: reading ${describePaths(paths)}`);
  const { resources, issues, notices } = await readResourceFiles(paths);
  for (const notice of notices) print(formatNotice(notice));
  if (issues.length > 0) {
    for (const issue of issues) print(formatIssue(issue));
    print(`${countOf(issues.length, "fault")}; nothing was started`);
    return undefined;
  }
  print(PROTECTION);
  const dataDirectory = new DataDirectory(data);
  const mesh = await LocalMesh.start({
    paths,
    resources,
    dataDirectory,
    hauberkCommand: [process.execPath, ...process.execArgv, process.argv[1] ?? ""],
    clock: systemClock,
    report: (event) => {
      const line = formatEvent(event, (performance.now() - startedAt) / 1000);
      if (line !== undefined) print(line);
    },
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  print(`the mesh is up after ${seconds} s; logs are in ${dataDirectory.path}/logs`);
  return mesh;
}

/** The paths themselves, as long as they are few. */
function describePaths(paths: readonly string[]): string {
  if (paths.length <= 3) return paths.join(", ");
  return `${paths.length} files, ${paths[0]} and others`;
}

/** `mesh.yaml:12: error: spec.mtls.mode ...`, the form that editors turn into links. */
export function formatIssue({ source, path, problem }: Issue): string {
  return `${formatLocation(source)}: error: ${[path, problem].filter((part) => part !== "").join(" ")}`;
}

export function formatNotice({ source, path, message }: Notice): string {
  return `${formatLocation(source)}: note: ${[path, message].filter((part) => part !== "").join(" ")}`;
}

function formatEvent(event: MeshEvent, seconds: number): string | undefined {
  const at = `[${seconds.toFixed(1)} s]`;
  switch (event.type) {
    case "planned": {
      const injected = event.workloads.filter((workload) => workload.injected).length;
      return `${countOf(injected, "workload")} with a sidecar, ${event.workloads.length - injected} without`;
    }
    case "control-plane-ready":
      return `${at} control plane at ${event.listen}`;
    case "sidecar-ready":
      return undefined;
    case "application-started":
      return `${at} ${describeWorkload(event.workload)}`;
    case "process-ended": {
      const { code, signal } = event.exit;
      return `${at} ${event.title} ended unexpectedly with ${signal ?? `code ${code}`}`;
    }
  }
}

/** One line for a pod: its name, who it is, and where it is reached. */
function describeWorkload({ namespace, name, serviceAccount, injected, ports }: Workload): string {
  const who = injected
    ? `sidecar ready, as ns/${namespace}/sa/${serviceAccount}`
    : "no sidecar, no identity";
  const where = ports.map(
    ({ containerPort, listen }) => `${containerPort} at ${listen.address}:${listen.port}`,
  );
  return [`${namespace}/${name}: ${who}`, ...where].join(", ");
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
