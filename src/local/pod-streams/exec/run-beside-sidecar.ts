/** Runs a command in the surroundings of a pod's sidecar, or answers it where it asks the sidecar. */
import { describeError } from "../../../runtime/hauberk-error.ts";
import type { LocalMesh } from "../../local-mesh.ts";
import { askSidecar } from "../../pods/ask-sidecar.ts";
import type { Pod } from "../../pods/pod.ts";
import type { EnclosedLaunch } from "../../pods/pod-container.ts";
import type { AnswerAsEnvoy, AskAdministration } from "../answer-as-envoy.ts";
import type { ExecClient } from "./exec-client.ts";
import type { ExecWish } from "./exec-wish.ts";
import { runCommand } from "./run-command.ts";
import { adminQuestion, withEndpoints } from "./sidecar-command.ts";

/** As pilot-agent ends when it is refused. */
const REFUSED = 1;

/** @returns its exit code */
export async function runBesideSidecar(
  {
    mesh,
    pod,
    answerAsEnvoy,
  }: { readonly mesh: LocalMesh; readonly pod: Pod; readonly answerAsEnvoy: AnswerAsEnvoy },
  {
    client,
    wish,
    ended,
  }: { readonly client: ExecClient; readonly wish: ExecWish; readonly ended: AbortSignal },
): Promise<number> {
  const asked = adminQuestion(wish.command);
  const { adminSocket } = pod;
  if (asked !== undefined && adminSocket !== undefined) {
    try {
      const ask: AskAdministration = (question) => askSidecar(adminSocket, question);
      const answer = await answerAsEnvoy(asked, ask);
      client.output.write(answer?.body ?? (await ask(asked)));
      return 0;
    } catch (error) {
      client.errors.write(`${describeError(error)}\n`);
      return REFUSED;
    }
  }
  const { namespace } = pod.plan.workload;
  const { resources, workloads } = mesh;
  const { command, replaced } = withEndpoints(wish.command, { namespace, resources, workloads });
  for (const one of replaced) client.errors.write(`hauberk: ${one} here\n`);
  const launch = (whole: typeof command): EnclosedLaunch => pod.launchBesideSidecar(whole);
  return await runCommand(launch, { client, wish: { ...wish, command }, ended });
}
