/**
 * `npm run bench -- push`: what a change costs a control plane of many proxies, and how long the last of them waits. Simulated
 * proxies over TLS, each with a token of its own; the figures of istiod beside ours are of the same machine, by the same kind of
 * client, of an earlier day.
 */
import { arch, cpus, loadavg } from "node:os";
import { type Target, tellTargets } from "../goals.ts";
import { type Connected, MeasuredMesh, type Pushed } from "./measured-mesh.ts";
import { type PushMesh, podOf, policyText, pushMesh } from "./push-mesh.ts";

const ALL = "TypedExtensionConfig";
const ENDPOINTS = "ClusterLoadAssignment";
const TRIALS = 3;

interface Measured {
  readonly connected: Connected;
  readonly meshWide: readonly Pushed[];
  readonly oneWorkload: readonly Pushed[];
  readonly endpoint: readonly Pushed[];
}

/** @param args `--only 100`, `1000` or `2000`: of these many proxies alone */
export async function benchPush(args: readonly string[]): Promise<number> {
  const only = args[0] === "--only" ? Number(args[1]) : undefined;
  const print = (line: string): void => console.log(line);
  print(`${cpus().length} x ${cpus()[0]?.model ?? arch()}, load ${loadavg()[0]?.toFixed(1)}`);
  const targets: Target[] = [];
  for (const pods of [100, 1_000, 2_000]) {
    if (only !== undefined && only !== pods) continue;
    const measured = await measure(pods);
    tell(pods, measured, print);
    targets.push(...targetsOf(pods, measured));
  }
  return tellTargets(targets, print) ? 0 : 1;
}

async function measure(pods: number): Promise<Measured> {
  const mesh = pushMesh({ services: 1_000, pods });
  const measured = await MeasuredMesh.start(mesh);
  try {
    const connected = await measured.connect();
    const meshWide: Pushed[] = [];
    const oneWorkload: Pushed[] = [];
    const endpoint: Pushed[] = [];
    const replicas = mesh.running.workloads.filter((one) => one.labels["app"] === "service-0000");
    for (let trial = 0; trial < TRIALS; trial++) {
      const everybody = { proxies: pods };
      meshWide.push(await measured.push(ALL, withPolicy(mesh, `all-${trial}`), everybody));
      await measured.push(ALL, { texts: mesh.texts }, everybody);
      const some = { proxies: replicas.length };
      const scope = { namespace: "ns-0", app: "service-0000" };
      oneWorkload.push(await measured.push(ALL, withPolicy(mesh, "one", scope), some));
      await measured.push(ALL, { texts: mesh.texts }, some);
      endpoint.push(await measured.push(ENDPOINTS, withEndpoint(mesh), everybody));
      await measured.push(ENDPOINTS, { running: mesh.running }, everybody);
    }
    return { connected, meshWide, oneWorkload, endpoint };
  } finally {
    await measured.stop();
  }
}

function withPolicy(
  mesh: PushMesh,
  name: string,
  scope: Parameters<typeof policyText>[1] = { namespace: "istio-system" },
): Pick<PushMesh, "texts"> {
  return { texts: [...mesh.texts, { file: "policy.yaml", text: policyText(name, scope) }] };
}

function withEndpoint({ running }: PushMesh): Pick<PushMesh, "running"> {
  const added = podOf({ namespace: "ns-1", name: "service-0001" }, 60_000);
  return { running: { ...running, workloads: [...running.workloads, added] } };
}

function tell(
  pods: number,
  { connected, meshWide, oneWorkload, endpoint }: Measured,
  print: (line: string) => void,
): void {
  const { seconds, refused, cpuMs, proxyCpuMs, usage } = connected;
  print(`\n1,000 services, ${pods} proxies`);
  print(
    `  all at once: ${seconds.toFixed(1)} s, ${refused} refused, ${cpuMs.toFixed(1)} ms CPU each (${proxyCpuMs.toFixed(1)} of the proxy); RSS ${usage.rssMb.toFixed(0)} MB, peak ${usage.peakRssMb.toFixed(0)}`,
  );
  const rows = { "policy of the mesh": meshWide, "policy of one workload": oneWorkload, endpoint };
  for (const [what, pushes] of Object.entries(rows)) {
    const last = pushes.map((one) => one.lastMs.toFixed(0)).join(", ");
    const [{ proxies, bytes, bytesOfAll, plainBytesOfAll }] = pushes as [Pushed];
    const cpu = median(pushes.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2);
    const own = median(pushes.map(({ proxyCpuSeconds }) => proxyCpuSeconds)).toFixed(2);
    print(
      `  ${what}: the last of ${proxies} after ${last} ms; ${bytes.toFixed(0)} B each, ${bytesOfAll.toFixed(0)} with all that follows (${plainBytesOfAll.toFixed(0)} unpacked); ${cpu} s CPU (${own} of the proxies)`,
    );
  }
}

function targetsOf(
  pods: number,
  { connected, meshWide, oneWorkload, endpoint }: Measured,
): readonly Target[] {
  const atMost = (name: string, figure: number, unit: string, goal: number): Target => ({
    ...{ name: `${pods} proxies: ${name}`, figure, unit, goal, bound: "at most" },
  });
  const last = (pushes: readonly Pushed[]) => median(pushes.map(({ lastMs }) => lastMs));
  if (pods === 100)
    return [atMost("a policy of the mesh (istiod 162-218)", last(meshWide), " ms", 50)];
  if (pods === 2_000) return [atMost("RSS", connected.usage.rssMb, " MB", 1_500)];
  const [policy] = meshWide;
  const [single] = oneWorkload;
  return [
    atMost("a policy of the mesh (istiod 628-841)", last(meshWide), " ms", 300),
    atMost(
      "all bytes of it to each (istiod 17,800)",
      policy?.bytesOfAll ?? Number.NaN,
      " B",
      2_000,
    ),
    atMost("told of one workload's policy beside it", (single?.proxies ?? 0) - 1, "", 0),
    atMost("an endpoint (istiod 232-245)", last(endpoint), " ms", 150),
    atMost("RSS (istiod 1,341)", connected.usage.rssMb, " MB", 700),
    atMost("CPU for each that connects (istiod 70-81)", connected.cpuMs, " ms", 35),
    atMost("all at once (istiod 59.5)", connected.seconds, " s", 30),
    atMost("refused meanwhile (istiod 4,278)", connected.refused, "", 0),
  ];
}

function median(figures: readonly number[]): number {
  return (
    figures.toSorted((one, other) => one - other)[Math.floor(figures.length / 2)] ?? Number.NaN
  );
}
