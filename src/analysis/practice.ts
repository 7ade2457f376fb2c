/** What an audit asks: a practice, and how a mesh is held against it. */
import type { AnalyzedMesh } from "./analyzed-mesh.ts";
import type { AnalyzedObject } from "./analyzed-object.ts";
import type { Field } from "./field.ts";
import type { Finding } from "./finding.ts";

export interface Practice {
  /** `strict-mutual-tls` */
  readonly id: string;
  /** As the checklist has it. */
  readonly practice: string;
  /** What to do where it is not met: YAML, or a command; NAMESPACE stands for each that the judgement names. */
  readonly fix: string;
  judge(asked: AuditedMesh): Judgement;
}

export interface Judgement {
  readonly verdict: "met" | "not met" | "cannot tell";
  /** Which resources and numbers say so. */
  readonly evidence: readonly string[];
  /** What to do instead of the practice's own fix, where the mesh tells more. */
  readonly fix?: string;
  /** Where the fix belongs, as far as the mesh tells. */
  readonly namespaces?: readonly string[];
}

export interface AuditedMesh {
  readonly mesh: AnalyzedMesh;
  /** What `hauberk analyze` says of it. */
  readonly findings: readonly Finding[];
  /** What `hauberk analyze` could not look at, and why. */
  readonly unanalyzed: readonly string[];
  /** Absent where files are asked: no file says what a mesh runs with. */
  readonly live?: LiveFacts;
}

/** Of a mesh that runs; points in time are ISO 8601. */
export interface LiveFacts {
  readonly now: Date;
  readonly mode: "loopback" | "namespaces";
  readonly authorities: readonly {
    readonly id: string;
    readonly state: string;
    readonly origin: "self-signed" | "custom";
    readonly chainNotAfter: string;
  }[];
  readonly certificates: readonly { readonly pod: string; readonly ends: string }[];
  /** Of the authorities and certificates, as `hauberk ca status` has them. */
  readonly warnings: readonly string[];
}

const SHOWN = 10;

export function met(...evidence: readonly string[]): Judgement {
  return { verdict: "met", evidence: shortened(evidence) };
}

export function notMet(...evidence: readonly string[]): Judgement {
  return { verdict: "not met", evidence: shortened(evidence) };
}

export function cannotTell(...evidence: readonly string[]): Judgement {
  return { verdict: "cannot tell", evidence: shortened(evidence) };
}

/** `1 rule`, `2 rules` */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `the only rule`, `all 2 rules` */
export function allOf(count: number, one: string, many: string = `${one}s`): string {
  return count === 1 ? `the only ${one}` : `all ${count} ${many}`;
}

/** The same, with where its fix belongs; each namespace counts once. */
export function fixedIn(judgement: Judgement, namespaces: readonly string[]): Judgement {
  return { ...judgement, namespaces: [...new Set(namespaces)].sort().slice(0, SHOWN) };
}

/** `DestinationRule shop/cart (mesh.yaml:12)` */
export function placed(object: AnalyzedObject, at: Field = object.root): string {
  return `${object.title} (${object.file}:${at.line})`;
}

function shortened(evidence: readonly string[]): readonly string[] {
  if (evidence.length <= SHOWN) return evidence;
  return [...evidence.slice(0, SHOWN), `and ${evidence.length - SHOWN} more`];
}
