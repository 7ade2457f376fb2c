/** The mesh of the traffic soak: what of it changes while it runs, and where the processes of its pods are. */
import { cp, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MeshState } from "../../../src/local/mesh-state.ts";
import type { SocketAddress } from "../../../src/policy/workload.ts";
import { type RunningMesh, runMesh } from "../../kit/running-mesh.ts";

const NAMESPACE = "soak";
/** Short, so that each second some sidecar of the mesh renews its own. */
const CERTIFICATE_SECONDS = 20;

export type GuardedPaths = "open" | "denied";

/** A pod's part that can be killed, and where it listens. */
export interface PodPart {
  readonly pod: string;
  readonly part: "server" | "sidecar";
}

export class SoakMesh {
  readonly mesh: RunningMesh;
  readonly #files: string;
  #rules = 0;
  /** By `address:port`, of all pods that there ever were. */
  readonly #podOf: Map<string, string> = new Map();

  private constructor(mesh: RunningMesh, files: string) {
    this.mesh = mesh;
    this.#files = files;
    this.#learn(mesh.state);
  }

  /** @param folder for its files and its data */
  static async start(folder: string): Promise<SoakMesh> {
    const files = join(folder, "mesh");
    await cp("test/meshes/traffic", files, { recursive: true });
    await writeFile(
      join(files, "mesh-config.yaml"),
      `meshConfig:\n  defaultConfig:\n    proxyMetadata:\n      SECRET_TTL: ${CERTIFICATE_SECONDS}s\n`,
    );
    await writeFile(join(files, "shop.yaml"), shop(3));
    await writeFile(join(files, "rules.yaml"), rules(0));
    await writeFile(join(files, "guard.yaml"), guard("open"));
    return new SoakMesh(await runMesh([files], join(folder, "data")), files);
  }

  /** Another rule that none of the requests meets. */
  changeRules(): Promise<void> {
    return this.#write("rules.yaml", rules(++this.#rules));
  }

  guard(paths: GuardedPaths): Promise<void> {
    return this.#write("guard.yaml", guard(paths));
  }

  scale(replicas: number): Promise<void> {
    return this.#write("shop.yaml", shop(replicas));
  }

  logOf(pod: string, file: string): string {
    return join(this.mesh.data, "logs", NAMESPACE, pod, file);
  }

  /** @returns undefined while it does not run */
  async processOf({ pod, part }: PodPart): Promise<number | undefined> {
    const { processes } = await this.#state();
    return processes.find(({ title }) => title === `${NAMESPACE}/${pod} ${part}`)?.processId;
  }

  /** Of all pods, by pod. */
  async sidecars(): Promise<ReadonlyMap<string, number>> {
    const { processes } = await this.#state();
    return new Map(
      processes
        .filter(({ title }) => title.endsWith(" sidecar"))
        .map(({ title, processId }) => [title.split(/[ /]/)[1] ?? title, processId]),
    );
  }

  async addressOf({ pod, part }: PodPart): Promise<SocketAddress | undefined> {
    const { workloads } = await this.#state();
    const [port] = workloads.find(({ name }) => name === pod)?.ports ?? [];
    return part === "server" ? port?.application : port?.listen;
  }

  /** @param address `address:port` of its sidecar, or of its application */
  podAt(address: string): string | undefined {
    return this.#podOf.get(address);
  }

  async #state(): Promise<MeshState> {
    const state = await this.mesh.currentState();
    this.#learn(state);
    return state;
  }

  #learn({ workloads }: MeshState): void {
    for (const { name, ports } of workloads) {
      for (const { listen, application } of ports) {
        this.#podOf.set(`${listen.address}:${listen.port}`, name);
        this.#podOf.set(`${application.address}:${application.port}`, name);
      }
    }
  }

  /** At once, so that nobody reads half of it. */
  async #write(file: string, text: string): Promise<void> {
    const path = join(this.#files, file);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}

function shop(replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: ${NAMESPACE}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      serviceAccountName: shop
      containers:
      - name: server
        image: node
        command: ["node", "shop.js"]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {port: 8080, path: /ready}, periodSeconds: 1}
`;
}

function rules(count: number): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: shop, namespace: ${NAMESPACE}}
spec:
  selector: {matchLabels: {app: shop}}
  rules:
  - from: [{source: {principals: ["cluster.local/ns/${NAMESPACE}/sa/nobody-${count}"]}}]
  - from: [{source: {principals: ["cluster.local/ns/${NAMESPACE}/sa/client"]}}]
    to:
    - operation: {methods: ["GET"], paths: ["/goods/*", "/guarded/*"]}
    - operation: {methods: ["POST"], paths: ["/orders/*"]}
`;
}

function guard(paths: GuardedPaths): string {
  return `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: guard, namespace: ${NAMESPACE}}
spec:
  selector: {matchLabels: {app: shop}}
  action: DENY
  rules:
  - to: [{operation: {paths: ["${paths === "denied" ? "/guarded/*" : "/nobody-asks/*"}"]}}]
`;
}
