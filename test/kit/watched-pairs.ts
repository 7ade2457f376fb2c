/** The mesh `test/meshes/pairs` under its own load, whose parts are killed: who notices, and for how long. */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningMesh, runMesh } from "./running-mesh.ts";
import { isFailure, outcomesBetween, untilAnswered } from "./steady-load.ts";

export const BACK_WITHIN_MS = 3_000;
const WATCH_MS = 6_000;
/** At 50 requests a second, timers and a busy machine allowed for. */
const LEAST_PER_SECOND = 35;

/** Milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const DENY = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-calls-one, namespace: pairs}
spec:
  selector: {matchLabels: {app: one}}
  action: DENY
  rules: [{from: [{source: {principals: ["cluster.local/ns/pairs/sa/calls-one"]}}]}]
`;

export class WatchedPairs {
  /** Of the manifests, which a test may change. */
  readonly files: string;
  mesh: RunningMesh;
  readonly #folder: string;
  readonly #parameters: readonly string[];

  private constructor(folder: string, mesh: RunningMesh, parameters: readonly string[]) {
    this.#folder = folder;
    this.files = join(folder, "mesh");
    this.mesh = mesh;
    this.#parameters = parameters;
  }

  /** @param parameters more of `hauberk up` */
  static async start(parameters: readonly string[] = []): Promise<WatchedPairs> {
    const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
    const files = join(folder, "mesh");
    await cp("test/meshes/pairs", files, { recursive: true });
    const mesh = await runMesh([files], { data: join(folder, "data"), parameters });
    const pairs = new WatchedPairs(folder, mesh, parameters);
    await untilAnswered([pairs.loadLog("calls-one"), pairs.loadLog("calls-two")]);
    await delay(2_000);
    return pairs;
  }

  /** Another `up` in the same folder. */
  async upAgain(): Promise<void> {
    const { data } = this.mesh;
    this.mesh = await runMesh([this.files], { data, parameters: this.#parameters });
  }

  async remove(): Promise<void> {
    await this.mesh.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  loadLog(caller: string): string {
    return join(this.mesh.data, "logs/pairs", `${caller}-0`, "load.log");
  }

  async assertUndisturbed(caller: string, { from, to }: Span): Promise<void> {
    const outcomes = await outcomesBetween(this.loadLog(caller), { from, to });
    assert.ok(
      outcomes.length >= (LEAST_PER_SECOND * (to - from)) / 1000,
      `${caller} sent only ${outcomes.length} requests`,
    );
    assert.deepEqual(outcomes.filter(isFailure), [], `${caller} noticed`);
  }

  /** @returns how long after `from` the last failure was, in milliseconds */
  async assertBackSoon(caller: string, { from, to }: Span): Promise<number> {
    const outcomes = await outcomesBetween(this.loadLog(caller), { from, to });
    const lastFailure = outcomes.findLast(isFailure);
    const backAfterMs = lastFailure === undefined ? 0 : lastFailure.sentAt + lastFailure.ms - from;
    assert.ok(backAfterMs <= BACK_WITHIN_MS, `${caller} was back only after ${backAfterMs} ms`);
    assert.ok(!isFailure(outcomes.at(-1) ?? assert.fail(`${caller} sent nothing`)));
    return backAfterMs;
  }

  /** Of what the mesh calls so, as in `pairs/one-0 sidecar`. */
  async processOf(title: string): Promise<number> {
    const { processes } = await this.mesh.currentState();
    return processes.find((one) => one.title === title)?.processId ?? assert.fail(`no ${title}`);
  }

  async sidecarProcesses(): Promise<readonly number[]> {
    const { processes } = await this.mesh.currentState();
    return processes.filter(({ title }) => title.endsWith(" sidecar")).map((one) => one.processId);
  }

  async killAndWatch(processId: number): Promise<Span> {
    const from = Date.now();
    process.kill(processId, "SIGKILL");
    await delay(WATCH_MS);
    return { from, to: Date.now() - 500 };
  }

  /** A DENY in the folder binds one pair's connections within 1 s, and is gone within 1 s of its removal; the other notices nothing. */
  async assertDenyBinds(): Promise<void> {
    const put = Date.now();
    await writeFile(join(this.files, "deny.yaml"), DENY);
    await delay(3_000);
    const removed = Date.now();
    await rm(join(this.files, "deny.yaml"));
    await delay(3_000);
    const end = Date.now() - 500;
    const whileThere = await outcomesBetween(this.loadLog("calls-one"), {
      from: put + 1_000,
      to: removed,
    });
    assert.ok(whileThere.length > LEAST_PER_SECOND);
    assert.ok(whileThere.some(({ kept }) => kept));
    assert.deepEqual(
      whileThere.filter(({ status }) => status !== 403),
      [],
    );
    await this.assertUndisturbed("calls-one", { from: removed + 1_000, to: end });
    await this.assertUndisturbed("calls-two", { from: put, to: end });
  }
}
