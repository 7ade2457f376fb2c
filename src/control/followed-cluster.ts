/** One other cluster: its connection, and what of it is admitted here; what is refused is told once. */
import type { MeshSettings } from "../api/mesh-settings.ts";
import { type Admission, admitRemoteServices } from "../policy/admit-remote-services.ts";
import type { ExportedService } from "../policy/exported-services.ts";
import type { RemoteClusterServices } from "../policy/remote-cluster-services.ts";
import {
  RemoteClusterConnection,
  type RemoteConnectionOptions,
} from "./remote-cluster-connection.ts";
import type { RemoteClusterState } from "./remote-cluster-state.ts";

/** Of what is refused, said in the log. */
const MAX_LOGGED_REFUSALS = 3;

type TrustDomains = Pick<MeshSettings, "trustDomain" | "trustDomainAliases">;

export class FollowedCluster {
  readonly connection: RemoteClusterConnection;
  readonly #options: RemoteConnectionOptions;
  #admission: Admission = { services: [], refusals: [] };
  /** What the admission was made of. */
  #told: readonly ExportedService[] | undefined;
  #domains = "";

  constructor(options: RemoteConnectionOptions) {
    this.#options = options;
    this.connection = new RemoteClusterConnection(options);
  }

  get services(): RemoteClusterServices {
    return { cluster: this.#name, services: this.#admission.services };
  }

  get state(): RemoteClusterState {
    const { services, refusals } = this.#admission;
    const endpoints = services
      .flatMap(({ ports }) => ports)
      .reduce((sum, port) => sum + port.endpoints.length, 0);
    return { ...this.connection.state, services: services.length, endpoints, refusals };
  }

  /** Whether anything of it may be another than before. */
  admit(settings: TrustDomains): "changed" | "unchanged" {
    const told = this.connection.told.current;
    const domains = [settings.trustDomain, ...settings.trustDomainAliases].join();
    if (told === this.#told && domains === this.#domains) return "unchanged";
    const { refusals } = this.#admission;
    const { own, resource } = this.#options;
    const remoteTrustDomain = resource.trustDomain ?? own.trustDomain;
    this.#told = told;
    this.#domains = domains;
    this.#admission =
      told === undefined
        ? { services: [], refusals: [] }
        : admitRemoteServices(told, { remoteTrustDomain, settings });
    this.#tellRefusals(refusals);
    return "changed";
  }

  get #name(): string {
    return this.#options.resource.meta.name;
  }

  #tellRefusals(before: readonly string[]): void {
    const { refusals } = this.#admission;
    if (refusals.length === 0 || refusals.join() === before.join()) return;
    const problem = refusals.slice(0, MAX_LOGGED_REFUSALS).join("; ");
    const count = refusals.length;
    this.#options.log.warn(`not all that remote cluster ${this.#name} says is taken over`, {
      problem,
      count,
    });
  }
}
