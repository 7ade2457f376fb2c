/** A running mesh whose pods try to reach each other, so that it is the kernel that answers a case. */
import { MeshInNamespaces } from "../kit/mesh-in-namespaces.ts";
import {
  meshOfCase,
  type Probe,
  type ProbedPair,
  type ReachabilityCase,
} from "./collect-reachability.ts";

/** The agent, and the image that it stands for. */
const AGENTS = "test/meshes/agents";
const FILE = "case.yaml";
const REFUSED = "ECONNREFUSED";

export class EnforcedMesh {
  #mesh: MeshInNamespaces | undefined;
  /** Pods stay from case to case: one more does not change what others may. */
  readonly #pods: Set<string> = new Set();
  #inForce = "";
  /** Of the pods of the last case, without policies. */
  #open = "";

  /** Puts the case's policies in force. */
  async probing(test: ReachabilityCase): Promise<Probe> {
    for (const pod of test.pods) this.#pods.add(pod);
    const pods = [...this.#pods];
    await this.#assertOpen({ ...test, pods, policies: [] });
    await this.#put(meshOfCase({ ...test, pods }));
    const families = isAboutAddresses(test) ? (["ipv4"] as const) : (["ipv4", "ipv6"] as const);
    return (pair) => this.#reaches(pair, families);
  }

  async close(): Promise<void> {
    await this.#mesh?.remove();
  }

  /** Without policies everybody must reach everybody: else a refusal would say nothing. */
  async #assertOpen(test: ReachabilityCase): Promise<void> {
    const open = meshOfCase(test);
    if (open === this.#open) return;
    await this.#put(open);
    const mesh = this.#running();
    await Promise.all(
      test.pods.map((pod) => mesh.agent(workloadOf(pod)).listen(...new Set([80, 81, test.port]))),
    );
    for (const from of test.pods) {
      for (const to of test.pods) {
        const pair = { from, to, port: test.port, protocol: "TCP" } as const;
        if (await this.#reaches(pair, ["ipv4", "ipv6"])) continue;
        throw new Error(`without policies ${from} does not reach ${to}`);
      }
    }
    this.#open = open;
  }

  async #put(text: string): Promise<void> {
    if (text === this.#inForce) return;
    this.#mesh ??= await MeshInNamespaces.start({ folders: [AGENTS] });
    await this.#mesh.change(FILE, text);
    this.#inForce = text;
  }

  #running(): MeshInNamespaces {
    if (this.#mesh === undefined) throw new Error("the mesh does not run");
    return this.#mesh;
  }

  /** @throws Error when it is neither reached nor refused, or by one address only */
  async #reaches(
    { from, to, port }: ProbedPair,
    families: readonly ("ipv4" | "ipv6")[],
  ): Promise<boolean> {
    const mesh = this.#running();
    const addresses = await mesh.addresses(workloadOf(to));
    const heard = await Promise.all(
      families.map((family) => mesh.agent(workloadOf(from)).call(addresses[family], port)),
    );
    if (heard.every((answer) => answer === REFUSED)) return false;
    if (heard.every((answer) => `${namespaceOf(to)}/${answer}` === workloadOf(to))) return true;
    throw new Error(`${from} calls ${to}:${port}, by ${families.join(" and ")}: ${heard}`);
  }
}

/** Blocks are of one family: pods have addresses of both. */
function isAboutAddresses({ policies }: ReachabilityCase): boolean {
  return JSON.stringify(policies).includes('"ipBlock"');
}

function workloadOf(pod: string): string {
  return `${pod}-0`;
}

function namespaceOf(pod: string): string {
  return pod.split("/")[0] ?? "";
}
