/**
 * `hauberk ca`: the authorities of a running mesh, and the steps by which one is replaced by another. Exit 0: all is well,
 * or the step was taken; 1: something needs somebody, or the step was not taken.
 */
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RotationStep } from "../../ca/rotation.ts";
import type { AuthorityOverview } from "../../control/authority-overview.ts";
import type { AuthorityStepReply, ControlReply } from "../../control/control-socket-messages.ts";
import type { Blocker } from "../../control/rotation-gate.ts";
import { askControlPlane, ControlPlaneAwayError } from "../../local/control-plane-client.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import type { Clock } from "../../runtime/clock.ts";
import { describeAuthority, formatAuthorities, formatBlockers } from "../format-authorities.ts";
import { jsonText } from "../json-text.ts";
import type { Print, Printers } from "../print-line.ts";

const LOOK_AGAIN_MS = 500;
/** Names that a progress line has room for. */
const MAX_NAMED = 3;

export interface AuthorityStepOptions {
  readonly data: string;
  readonly from?: string;
  readonly force?: boolean;
  /** How long to wait for sidecars, in milliseconds; absent: not at all. */
  readonly wait?: number;
}

/** @throws NoMeshError, ControlPlaneAwayError */
export async function caStatusCommand(
  options: { readonly data: string; readonly json?: boolean },
  { print, clock }: { readonly print: Print; readonly clock: Clock },
): Promise<number> {
  const status = await askStatus(new DataDirectory(options.data));
  if (options.json) print(jsonText(status));
  else for (const line of formatAuthorities(status, clock.now())) print(line);
  return status.warnings.length === 0 ? 0 : 1;
}

/** @throws NoMeshError, ControlPlaneAwayError */
export async function caMetricsCommand(
  options: { readonly data: string },
  print: Print,
): Promise<number> {
  const reply = await askControlPlane(new DataDirectory(options.data), { type: "metrics" });
  if (reply.type !== "metrics") throw unexpected(reply);
  print(reply.text.trimEnd());
  return 0;
}

/** @throws NoMeshError, ControlPlaneAwayError */
export async function caStepCommand(
  step: RotationStep,
  options: AuthorityStepOptions,
  { print, warn, clock }: Printers & { readonly clock: Clock },
): Promise<number> {
  const dataDirectory = new DataDirectory(options.data);
  const patience = new Patience(options.wait ?? 0, warn);
  const since = clock.now();
  for (;;) {
    const reply = await takeStep(step, { ...options, dataDirectory, patience, since });
    if (reply.type === "refused") {
      warn(`hauberk: ${step} is refused: ${reply.problem}`);
      return 1;
    }
    if (reply.type === "ca-taken") {
      const done = reply.was === "before" ? `done already; ${DONE[step]}` : DONE[step];
      print(`${done}: ${describeAuthority(reply.authority, clock.now())}`);
      if (reply.broke !== undefined) warn(`forced: ${reply.broke}`);
      return waitForNext(dataDirectory, { print, warn, patience, waits: "wait" in options });
    }
    if (patience.isOver) return tellBlocked(step, reply, warn);
    await patience.wait(reply.blockers);
  }
}

const DONE: Readonly<Record<RotationStep, string>> = {
  prepare: "prepared, and trusted from now on",
  activate: "signs from now on",
  taint: "tainted, whoever has a certificate of it renews now",
  revoke: "the former one is trusted no more; active is",
  rollback: "gone back; active is",
};

interface StepContext extends AuthorityStepOptions {
  readonly dataDirectory: DataDirectory;
  readonly patience: Patience;
  /** When the step was first asked for. */
  readonly since: Date;
}

/** A control plane that falls before it answers may have taken the step: its ledger says so. */
async function takeStep(step: RotationStep, context: StepContext): Promise<AuthorityStepReply> {
  const { dataDirectory, patience, since } = context;
  try {
    return await askStep(step, context);
  } catch (error) {
    if (!(error instanceof ControlPlaneAwayError) || patience.isOver) throw error;
    await patience.wait([]);
    const { authorities, history } = await patientStatus(dataDirectory, patience);
    const taken = history.findLast((one) => one.step === step && new Date(one.at) >= since);
    const authority = authorities.find(({ id }) => id === taken?.authority) ?? authorities[0];
    return taken === undefined || authority === undefined
      ? await takeStep(step, context)
      : { type: "ca-taken", authority };
  }
}

async function askStep(
  step: RotationStep,
  { dataDirectory, force = false, from }: StepContext,
): Promise<AuthorityStepReply> {
  const reply = await askControlPlane(dataDirectory, {
    type: "ca-step",
    step,
    force,
    ...(from !== undefined && { from: resolve(from) }),
  });
  switch (reply.type) {
    case "ca-status":
    case "metrics":
    case "remote-clusters":
    case "proxy-status":
    case "view":
    case "token-keys":
    case "limits-left":
      throw unexpected(reply);
    default:
      return reply;
  }
}

function tellBlocked(
  step: RotationStep,
  { blockers, breakage }: AuthorityStepReply & { readonly type: "ca-blocked" },
  warn: Print,
): number {
  warn(`hauberk: ${step} waits, nothing was changed:`);
  for (const line of formatBlockers(blockers)) warn(line);
  warn(`--wait waits for them; with --force ${breakage}`);
  return 1;
}

/** What comes next; and, where somebody waits, not before it can come. */
async function waitForNext(
  dataDirectory: DataDirectory,
  options: Printers & { readonly patience: Patience; readonly waits: boolean },
): Promise<number> {
  const { print, warn, patience, waits } = options;
  for (;;) {
    const { next } = await patientStatus(dataDirectory, patience);
    if (next.blockers.length === 0 || !waits) {
      print(`next: ${next.text}`);
      return 0;
    }
    if (patience.isOver) {
      warn(`hauberk: the time to wait is over; next: ${next.text}`);
      for (const line of formatBlockers(next.blockers)) warn(line);
      return 1;
    }
    await patience.wait(next.blockers);
  }
}

/** A control plane that is started again in between is waited for too. */
async function patientStatus(
  dataDirectory: DataDirectory,
  patience: Patience,
): Promise<AuthorityOverview> {
  for (;;) {
    try {
      return await askStatus(dataDirectory);
    } catch (error) {
      if (!(error instanceof ControlPlaneAwayError) || patience.isOver) throw error;
      await patience.wait([]);
    }
  }
}

async function askStatus(dataDirectory: DataDirectory): Promise<AuthorityOverview> {
  const reply = await askControlPlane(dataDirectory, { type: "ca-status" });
  if (reply.type === "ca-status") return reply.status;
  throw unexpected(reply);
}

function unexpected(reply: ControlReply): ControlPlaneAwayError {
  const problem = reply.type === "refused" ? reply.problem : `it answered ${reply.type}`;
  return new ControlPlaneAwayError(`the control plane does not tell: ${problem}`);
}

/** Waits for sidecars up to some time, and says whenever it is others that are waited for. */
class Patience {
  readonly #until: number;
  readonly #warn: Print;
  #said = "";

  constructor(forMs: number, warn: Print) {
    this.#until = performance.now() + forMs;
    this.#warn = warn;
  }

  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  async wait(blockers: readonly Blocker[]): Promise<void> {
    const line = blockers.length === 0 ? "waiting for the control plane" : progress(blockers);
    if (line !== this.#said) this.#warn(line);
    this.#said = line;
    await delay(LOOK_AGAIN_MS);
  }
}

function progress(blockers: readonly Blocker[]): string {
  const named = blockers.slice(0, MAX_NAMED).map(({ pod, lacks }) => `${pod} ${lacks}`);
  const others = blockers.length - named.length;
  const rest = others === 0 ? "" : `, and ${others} more`;
  return `waiting for ${blockers.length}: ${named.join(", ")}${rest}`;
}
