/** Keys to verify tokens with, for questions about a mesh: those in the rules, those that a mesh which runs has fetched, or given ones. */
import { readFile } from "node:fs/promises";
import type { JwtRule } from "../../api/request-authentication.ts";
import type { KeySetFacts } from "../../control/key-sets/key-set-facts.ts";
import { readTokenKeys } from "../../jwt/token-keys.ts";
import { askControlPlane } from "../../local/control-plane-client.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { effectiveRequestAuthentications } from "../../policy/effective-policy.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import type { PolicySubject } from "../../policy/policy-selection.ts";
import { QuestionError } from "../../policy/question.ts";
import { tokenKeySource, tokenKeySourceName } from "../../policy/token-key-source.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";

export interface TokenKeyOptions {
  /** Where the mesh keeps its state that is asked for keys it fetched. */
  readonly data: string;
  /** File of a JSON Web Key Set, for all rules whose keys are fetched. */
  readonly jwks?: string;
}

/** Where the keys of one rule are from. */
export type TokenKeyOrigin =
  | { readonly from: "rule" }
  /** What the mesh that runs has of them. */
  | ({ readonly from: "mesh" } & KeySetFacts)
  | { readonly from: "file"; readonly source: string; readonly file: string; readonly jwks: string }
  /** They are fetched when the mesh runs; no mesh that does knows them. */
  | { readonly from: "nowhere"; readonly source: string };

/** One for each rule that applies to the workload, in their order. Without `jwks` no files are read; a mesh that does not run is none. */
export async function tokenKeysAtHand(
  snapshot: MeshSnapshot,
  subject: PolicySubject,
  options: TokenKeyOptions,
): Promise<readonly TokenKeyOrigin[]> {
  const sources = effectiveRequestAuthentications(snapshot, subject).map(({ rule }) =>
    nameOf(rule),
  );
  const wanted = [...new Set(sources.flatMap((source) => source ?? []))];
  if (wanted.length === 0) return sources.map(() => ({ from: "rule" }));
  const find = options.jwks === undefined ? await ask(wanted, options) : await given(options.jwks);
  return sources.map((source) => (source === undefined ? { from: "rule" } : find(source)));
}

/** The snapshot, with the keys that are known. */
export function withTokenKeys(
  snapshot: MeshSnapshot,
  origins: readonly TokenKeyOrigin[],
): MeshSnapshot {
  const tokenKeys = new Map(
    origins.flatMap((origin) =>
      "jwks" in origin && origin.jwks !== undefined ? [[origin.source, origin.jwks] as const] : [],
    ),
  );
  return { ...snapshot, tokenKeys };
}

type FindKeys = (source: string) => TokenKeyOrigin;

function nameOf(rule: JwtRule): string | undefined {
  const source = tokenKeySource(rule);
  return source && tokenKeySourceName(source);
}

/** As many as the control plane answers at once. */
const MAX_ASKED = 64;

async function ask(wanted: readonly string[], { data }: TokenKeyOptions): Promise<FindKeys> {
  const known = new Map((await askedOf(data, wanted)).map((facts) => [facts.source, facts]));
  return (source) => {
    const facts = known.get(source);
    return facts === undefined ? { from: "nowhere", source } : { from: "mesh", ...facts };
  };
}

async function askedOf(data: string, wanted: readonly string[]): Promise<readonly KeySetFacts[]> {
  const sources = wanted.slice(0, MAX_ASKED);
  try {
    const reply = await askControlPlane(new DataDirectory(data), { type: "token-keys", sources });
    return reply.type === "token-keys" ? reply.sets : [];
  } catch (error) {
    if (error instanceof HauberkError) return [];
    throw error;
  }
}

async function given(file: string): Promise<FindKeys> {
  const jwks = await readKeys(file);
  if (readTokenKeys(jwks).length > 0) return (source) => ({ from: "file", source, file, jwks });
  throw new QuestionError(
    `--jwks ${file}: expected a JSON Web Key Set, with a key that tokens can be verified with`,
  );
}

async function readKeys(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new QuestionError(`--jwks ${file}: ${describeError(error)}`);
  }
}
