/** The dashboard of a running shop (test/meshes/dashboard), for those who look at it in a real browser. */
import { execFileSync } from "node:child_process";
import { type RunningCommand, startHauberk, untilSaid } from "./hauberk-command.ts";
import { type RunningMesh, runMesh } from "./running-mesh.ts";

export interface DashboardStage {
  readonly mesh: RunningMesh;
  /** One more, whose address nobody has opened. */
  open(): Promise<{ readonly command: RunningCommand; readonly url: string }>;
  stop(): Promise<void>;
}

export async function stageDashboard(
  network: "loopback" | "namespaces" = "loopback",
): Promise<DashboardStage> {
  execFileSync(process.execPath, ["tools/bundle-page.mjs"]);
  const mesh = await runMesh(["test/meshes/dashboard"], { parameters: ["--network", network] });
  const commands: RunningCommand[] = [];
  return {
    mesh,
    async open() {
      const command = startHauberk(["dashboard", "--data", mesh.data]);
      commands.push(command);
      await untilSaid(command, /token=\S+\n/);
      return { command, url: /http:\S+/.exec(command.output())?.[0] ?? "" };
    },
    async stop() {
      for (const command of commands) command.stop();
      await mesh.stop();
    },
  };
}
