/** What the programs of a pod are started as, and what the mesh tells them: files, variables, credentials. */
import type { Container } from "../../api/container.ts";
import { API_AUDIENCE } from "../../ca/service-account-tokens.ts";
import type { PlannedPod } from "../mesh-plan.ts";
import { applicationEnvironment, type EnvironmentInputs } from "./application-environment.ts";
import type { PlannedCredential } from "./container-files.ts";
import { type ContainerLaunch, planContainerLaunch } from "./container-launch.ts";
import type { PodContext } from "./pod-context.ts";
import type { PodPlaces } from "./pod-places.ts";

export interface PodProgramsOptions {
  readonly plan: PlannedPod;
  readonly context: PodContext;
  readonly places: PodPlaces;
  /** Of the HTTP proxy. */
  readonly proxyPassword: string;
}

export class PodPrograms {
  readonly #options: PodProgramsOptions;

  constructor(options: PodProgramsOptions) {
    this.#options = options;
  }

  /**
   * What a container of the pod is started as.
   *
   * @throws NoCommandError, MissingVolumeDataError, MissingVariableDataError
   */
  launch(container: Container): ContainerLaunch {
    const { plan, context } = this.#options;
    const { dataDirectory, network, resources } = context;
    const { namespace, name } = plan.workload;
    return planContainerLaunch(
      { pod: plan, container },
      {
        ...this.#surroundings(),
        resources: resources(),
        podFolder: dataDirectory.pod(plan.workload),
        claimFolder: (volume) => dataDirectory.claim({ namespace, name: `${volume}-${name}` }),
        paths: network === undefined ? "rewritten" : "mounted",
      },
    );
  }

  /**
   * What the mesh tells a process of the pod, without what the manifest sets.
   *
   * @param inherited the environment it would have without the mesh
   */
  environment(
    container: Container,
    inherited: EnvironmentInputs["inherited"] = process.env,
  ): Record<string, string> {
    const { workload } = this.#options.plan;
    return applicationEnvironment({ ...this.#surroundings(), inherited, workload, container });
  }

  async credential(wanted: PlannedCredential["credential"]): Promise<string> {
    const { plan, context } = this.#options;
    if (wanted.kind === "root-certificate") return (await context.controlPlane()).rootPem;
    const { audience = API_AUDIENCE, lifetimeSeconds } = wanted;
    return context.issueToken(plan.workload, { audience, lifetimeMs: lifetimeSeconds * 1000 });
  }

  #surroundings(): Omit<EnvironmentInputs, "workload" | "container"> {
    const { plan, context, places, proxyPassword } = this.#options;
    const { workloadApi, proxyless } = places;
    const { dataDirectory, network, workloads, resources, serviceAddresses } = context;
    const { workload } = plan;
    return {
      serviceAddresses: serviceAddresses(),
      services: resources().filter((resource) => resource.kind === "Service"),
      workloads: workloads(),
      ...(workload.injected ? { proxyPassword } : {}),
      ...(workloadApi && { workloadApi: workloadApi.applicationPath }),
      ...(proxyless && { grpcBootstrap: proxyless.bootstrapPath }),
      temporaryDirectory: network === undefined ? dataDirectory.scratch(workload) : "/tmp",
      inherited: process.env,
    };
  }
}
