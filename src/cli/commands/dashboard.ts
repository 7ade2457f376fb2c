/** `hauberk dashboard`: a page on this machine that shows the running mesh, until Ctrl-C. Exit 0; 1: no mesh runs. */
import { readFile } from "node:fs/promises";
import { startDashboard } from "../../dashboard/dashboard-server.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import type { Clock } from "../../runtime/clock.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { DashboardSource } from "../dashboard-source.ts";
import { packagePath } from "../package-root.ts";
import type { Print } from "../print-line.ts";
import { aborted } from "../stop-signal.ts";

/** The package was not built. */
export class MissingPageError extends HauberkError {
  readonly code = "HAUBERK_MISSING_PAGE";
}

/** @throws NoMeshError, ListenError, MissingPageError */
export async function dashboardCommand(
  options: { readonly data: string; readonly port: number },
  {
    print,
    clock,
    signal,
  }: { readonly print: Print; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<number> {
  const source = new DashboardSource(new DataDirectory(options.data), clock);
  await source.status(); // Whoever has no mesh is told here, not by the page.
  const script = await readScript(packagePath("dist/dashboard/page.js"));
  const dashboard = await startDashboard({ source, clock, port: options.port, script });
  try {
    print(dashboard.url);
    print("This address works once, in the browser that opens it first. Ctrl-C ends the dashboard");
    await aborted(signal);
    return 0;
  } finally {
    await dashboard.close();
    await source.close();
  }
}

async function readScript(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new MissingPageError(`${file} is missing: \`npm run build\` makes it`, { cause });
  }
}
