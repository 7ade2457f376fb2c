/** All that `hauberk ca status` tells, as plain JSON: authorities, sidecars, what worries, and what comes next. Pure. */
import type {
  AuthorityRing,
  AuthorityState,
  AuthorityStatus,
  RotationStep,
} from "../ca/rotation.ts";
import { certificateWarnings } from "./certificate-warnings.ts";
import { type RootFacts, rootFacts } from "./root-facts.ts";
import { type Blocker, blockersOf, type GateInputs, signerOf } from "./rotation-gate.ts";
import { rotationWarnings } from "./rotation-warnings.ts";
import type { SidecarState } from "./sidecar-state.ts";

/** Points in time are ISO 8601. */
export interface AuthorityOverview {
  /** Active first. */
  readonly authorities: readonly AuthorityFacts[];
  /** All that are trusted now. */
  readonly roots: readonly RootFacts[];
  readonly sidecars: readonly SidecarFacts[];
  /** Each is trouble: somebody has to do something. */
  readonly warnings: readonly string[];
  /** What a strict verifier would refuse, or dislike, in an authority. */
  readonly notes: readonly string[];
  readonly next: NextStep;
  readonly history: readonly StepTaken[];
  /** Absent without `--cacerts`. */
  readonly custom?: CustomAuthority;
  /** Where the renewal of the self-signed root stands, or when it is due; absent where none signs. */
  readonly renewal?: string;
}

type Times = "since" | "notBefore" | "notAfter" | "chainNotAfter";
export type AuthorityFacts = Omit<AuthorityStatus, Times> & Readonly<Record<Times, string>>;

export interface SidecarFacts {
  /** `namespace/pod` */
  readonly pod: string;
  /** Of a sidecar of several: which, from 1. */
  readonly process?: number;
  readonly connection: SidecarState["connection"];
  readonly identity?: string;
  readonly serialNumber?: string;
  /** Id of the authority that signed its certificate; its key identifier where that is none of ours. */
  readonly issuer?: string;
  readonly certificateEnds?: string;
  /** Whether it has acknowledged what is to be trusted now. */
  readonly acknowledged: boolean;
}

export interface NextStep {
  /** Absent when no rotation is under way. */
  readonly step?: RotationStep;
  readonly text: string;
  readonly blockers: readonly Blocker[];
}

export interface StepTaken {
  readonly at: string;
  readonly step: RotationStep;
  readonly authority: string;
  readonly forced: boolean;
}

/** Of the folder that the mesh takes its authority from. */
export interface CustomAuthority {
  readonly directory: string;
  /** What is in force, awaited or refused. */
  readonly doing: string;
  /** Why what the folder holds now is refused. */
  readonly refused?: string;
  /** Why it does not go on unless somebody does something, such as a rollback by hand. */
  readonly standstill?: string;
  /** Whoever takes a step by hand need not take the next. */
  readonly goesOn?: "by itself";
}

export interface OverviewInputs extends GateInputs {
  readonly history: ReturnType<AuthorityRing["history"]>;
  readonly custom?: CustomAuthority | undefined;
  readonly renewal?: string | undefined;
  /** Why the renewal does not go on unless somebody does something. */
  readonly renewalStandstill?: string | undefined;
  /** PEM of all that are trusted now. */
  readonly rootsPem: readonly string[];
}

/** Steps that are told. */
const MAX_HISTORY = 10;

export function authorityOverview(inputs: OverviewInputs, now: Date): AuthorityOverview {
  const { authorities, sidecars, history, custom, renewal } = inputs;
  return {
    authorities: authorities.map(factsOf),
    roots: inputs.rootsPem.map(rootFacts),
    sidecars: sidecars.map((sidecar) => sidecarFacts(sidecar, inputs)),
    warnings: [
      ...certificateWarnings(inputs, now).map(({ text }) => text),
      ...rotationWarnings(inputs, now).map(({ text }) => text),
      ...machineWarnings(inputs),
    ],
    notes: authorities.flatMap(({ id, weaknesses }) =>
      weaknesses.map((weakness) => `authority ${id}: ${weakness}`),
    ),
    next: nextStep(inputs),
    history: history.slice(-MAX_HISTORY).map((taken) => ({ ...taken, at: taken.at.toISOString() })),
    ...(custom && { custom }),
    ...(renewal !== undefined && { renewal }),
  };
}

/** Of what turns authorities by itself, and cannot. */
function machineWarnings({ custom, renewalStandstill }: OverviewInputs): readonly string[] {
  const { directory, refused, standstill } = custom ?? {};
  const warnings: string[] = [];
  if (refused !== undefined) warnings.push(`what ${directory} holds now is refused: ${refused}`);
  if (standstill !== undefined)
    warnings.push(`what ${directory} holds is not taken: ${standstill}`);
  if (renewalStandstill !== undefined)
    warnings.push(`the self-signed root is not renewed: ${renewalStandstill}`);
  return warnings;
}

export function factsOf(status: AuthorityStatus): AuthorityFacts {
  return {
    ...status,
    since: status.since.toISOString(),
    notBefore: status.notBefore.toISOString(),
    notAfter: status.notAfter.toISOString(),
    chainNotAfter: status.chainNotAfter.toISOString(),
  };
}

function sidecarFacts(
  { pod, process, connection, certificate, identity, trust }: SidecarState,
  inputs: GateInputs,
): SidecarFacts {
  const known = {
    pod,
    ...(process !== undefined && { process }),
    connection,
    acknowledged: trust === inputs.trust,
  };
  if (certificate === undefined) return known;
  const { serialNumber, authorityKeyIdentifier, notAfter } = certificate;
  const issuer = signerOf(authorityKeyIdentifier, inputs.authorities)?.id ?? authorityKeyIdentifier;
  return {
    ...known,
    serialNumber,
    certificateEnds: notAfter.toISOString(),
    ...(identity && { identity }),
    ...(issuer !== undefined && { issuer }),
  };
}

/** The step that a rotation which is under way waits for; the gravest state says which. */
const STEP_AFTER: readonly (readonly [AuthorityState, RotationStep, string])[] = [
  ["tainted", "revoke", "nobody trusts the former authority from then on"],
  ["retiring", "taint", "whoever has a certificate of the former authority renews it at once"],
  ["prepared", "activate", "the new authority signs from then on"],
];

function nextStep(inputs: OverviewInputs): NextStep {
  const found = STEP_AFTER.find(([state]) =>
    inputs.authorities.some((authority) => authority.state === state),
  );
  if (found === undefined) return { text: "no rotation is under way", blockers: [] };
  const [, step, meaning] = found;
  const blockers = blockersOf(step, inputs);
  if (inputs.custom?.goesOn !== undefined) return goingOn(inputs.custom, { step, blockers });
  const when = blockers.length === 0 ? "can be taken now" : `waits for ${count(blockers)}`;
  return { step, text: `\`hauberk ca ${step}\` ${when}: ${meaning}`, blockers };
}

/** The folder's authority: nobody has to take the step. */
function goingOn(
  { directory }: CustomAuthority,
  { step, blockers }: Pick<NextStep, "step" | "blockers">,
): NextStep {
  const waits = blockers.length === 0 ? "" : `, and waits for ${count(blockers)}`;
  const text = `the mesh goes on by itself to what ${directory} holds${waits}`;
  return { ...(step && { step }), text, blockers };
}

function count({ length }: readonly Blocker[]): string {
  return length === 1 ? "1 sidecar" : `${length} sidecars`;
}
