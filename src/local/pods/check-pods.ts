/** Pods that are about to be started, asked what they would start. */
import type { PlannedPod } from "../mesh-plan.ts";
import { checkLaunches } from "./check-launches.ts";
import { Pod } from "./pod.ts";
import type { PodContext } from "./pod-context.ts";

/**
 * @param context with the resources that would be in force
 * @throws MeshPlanError with a line for each container that cannot be started, or where Envoy is needed and not there
 */
export async function checkPods(
  planned: readonly PlannedPod[],
  context: PodContext,
): Promise<void> {
  const needsEnvoy = planned.some(
    ({ workload, dataPlane }) => workload.injected && dataPlane === "envoy",
  );
  if (needsEnvoy) await context.envoy();
  await checkLaunches(
    planned.flatMap((one) =>
      one.containers.map((container) => ({
        container,
        launch: () => new Pod(one, context).programs.launch(container),
      })),
    ),
  );
}
