/**
 * `npm run bench -- revocation`: a DENY while callers hold connections, with Envoy and with our sidecar: until when is who let
 * in? The mesh is `hauberk up`, the policy is written to its API server, the callers speak plaintext under PERMISSIVE. Istiod's
 * figures beside ours are of the same machine, by the same kinds of callers, of an earlier day.
 */
import { arch, cpus, loadavg } from "node:os";
import { type Target, tellTargets } from "../goals.ts";
import { type DataPlane, startRevocationMesh } from "./revocation-mesh.ts";
import {
  CUT_WITHIN_S,
  ENDLESS_NAMES,
  FAST_MS,
  type KeptOutcome,
  type RevocationTrial,
  runTrial,
  SLOW_MS,
} from "./revocation-trial.ts";

const PLANES: readonly DataPlane[] = ["Envoy", "our sidecar"];
const TRIALS = 4;
/** A share of the slow callers' pace. */
const OFFSETS_MS = [0, 500, 1_000, 1_500] as const;
const LAST_ALLOWED_MS = 50;

/** @param args `--only envoy` or `--only sidecar`; `--trials N` */
export async function benchRevocation(args: readonly string[]): Promise<number> {
  const print = (line: string): void => console.log(line);
  const only = optionOf(args, "--only");
  const trials = Number(optionOf(args, "--trials") ?? TRIALS);
  print(`${cpus().length} x ${cpus()[0]?.model ?? arch()}, load ${loadavg()[0]?.toFixed(1)}`);
  const targets: Target[] = [];
  for (const plane of PLANES) {
    if (only !== undefined && !plane.toLowerCase().endsWith(only)) continue;
    const measured = await measure(plane, trials, print);
    targets.push(...targetsOf(plane, measured));
  }
  return targets.length > 0 && tellTargets(targets, print) ? 0 : 1;
}

function optionOf(args: readonly string[], name: string): string | undefined {
  const place = args.indexOf(name);
  return place < 0 ? undefined : args[place + 1];
}

async function measure(
  plane: DataPlane,
  trials: number,
  print: (line: string) => void,
): Promise<readonly RevocationTrial[]> {
  const mesh = await startRevocationMesh(plane);
  try {
    print(`\n${plane}; milliseconds after the policy was accepted`);
    const measured: RevocationTrial[] = [];
    for (let index = 0; index < trials; index++) {
      const trial = await runTrial(mesh, OFFSETS_MS[index % OFFSETS_MS.length] ?? 0);
      measured.push(trial);
      tell(trial, index + 1, print);
    }
    return measured;
  } finally {
    await mesh.stop();
  }
}

function tell(
  { acceptedMs, acknowledgedMs, kept, cutMs }: RevocationTrial,
  number: number,
  print: (line: string) => void,
): void {
  print(
    `  trial ${number}: accepted ${acceptedMs.toFixed(0)} ms after it was sent, acknowledged at ${acknowledgedMs.toFixed(0)}`,
  );
  for (const { protocol, paceMs, ...one } of kept)
    print(
      `    ${protocol} every ${paceMs} ms: last allowed ${one.lastAllowedMs.toFixed(0)}, first refused ${one.firstRefusedMs.toFixed(0)}; allowed of those sent after acceptance ${one.allowedAfterAccepted}, after acknowledgement ${one.allowedAfterAck}`,
    );
  const cuts = ENDLESS_NAMES.map((name) => `${name} ${cutMs[name].toFixed(0)}`);
  print(`    cut: ${cuts.join(", ")}`);
}

/** Each judged by its worst trial. */
function targetsOf(plane: DataPlane, trials: readonly RevocationTrial[]): readonly Target[] {
  const worst = (
    matches: (one: KeptOutcome) => boolean,
    figure: (one: KeptOutcome) => number,
  ): number =>
    Math.max(...trials.flatMap(({ kept }) => kept.filter(matches)).map((one) => figure(one)));
  const atMost = (name: string, figure: number, unit: string, goal: number): Target => ({
    name: `${plane}: ${name}`,
    figure,
    unit,
    goal,
    bound: "at most",
  });
  return [
    ...(["HTTP/1.1", "HTTP/2"] as const).flatMap((protocol) => [
      atMost(
        `${protocol} at 100/s, last allowed (istiod 132-193 after it was sent)`,
        worst(
          (one) => one.protocol === protocol && one.paceMs === FAST_MS,
          (one) => one.lastAllowedMs,
        ),
        " ms",
        LAST_ALLOWED_MS,
      ),
      atMost(
        `${protocol} every 2 s, allowed after the acknowledgement (istiod 1)`,
        worst(
          (one) => one.protocol === protocol && one.paceMs === SLOW_MS,
          (one) => one.allowedAfterAck,
        ),
        "",
        0,
      ),
    ]),
    ...ENDLESS_NAMES.map((name) =>
      atMost(
        `${name}, cut after (istiod 45)`,
        Math.max(...trials.map(({ cutMs }) => cutMs[name])) / 1000,
        " s",
        CUT_WITHIN_S,
      ),
    ),
  ];
}
