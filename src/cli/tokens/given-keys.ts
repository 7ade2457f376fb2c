/**
 * `--jwks [ISSUER=]FILE`: keys for the issuers whose keys are fetched when the mesh runs. Each file is of one issuer alone: a
 * sidecar never verifies the token of one issuer with the key of another.
 */
import { quoted } from "../../api/quoted.ts";
import { FetchDocumentError } from "../../control/key-sets/fetch-document.ts";
import { findKeySet } from "../../control/key-sets/find-key-set.ts";
import { QuestionError } from "../../policy/question.ts";
import { readOptionFile } from "../read-option-file.ts";

export interface GivenKeys {
  readonly file: string;
  /** JSON, as the control plane would give it to sidecars. */
  readonly jwks: string;
}

/** Whose keys are fetched, each once; "" is any. */
export interface IssuersToFetch {
  /** Of the rules of the callee. */
  readonly here: readonly string[];
  /** Of all rules of the mesh: one question may be asked of many callees. */
  readonly anywhere: readonly string[];
}

/**
 * Issuers and names of files may both have a "=" in them: the longest issuer of the mesh that the text begins with is meant. Without one
 * it is a file, for the only issuer whose keys are fetched; where there is no such issuer at the callee, it is not read.
 *
 * @returns by issuer
 * @throws QuestionError
 */
export async function readGivenKeys(
  written: readonly string[],
  issuers: IssuersToFetch,
): Promise<ReadonlyMap<string, GivenKeys>> {
  const given = new Map<string, GivenKeys>();
  for (const text of written) {
    const { issuer, file } = namedIn(text, issuers);
    if (issuer === undefined) continue;
    if (given.has(issuer))
      throw new QuestionError(`--jwks ${text}: the keys of ${quoted(issuer)} are given twice`);
    given.set(issuer, { file, jwks: await readKeys(file) });
  }
  return given;
}

interface NamedFile {
  readonly issuer: string | undefined;
  readonly file: string;
}

function namedIn(text: string, { here, anywhere }: IssuersToFetch): NamedFile {
  const [issuer] = anywhere
    .filter((one) => text.startsWith(`${one}=`))
    .toSorted((one, other) => other.length - one.length);
  if (issuer !== undefined) return { issuer, file: text.slice(issuer.length + 1) };
  if (text.includes("=")) throw unknownIssuer(text, anywhere);
  const [only, ...others] = here;
  if (others.length === 0) return { issuer: only, file: text };
  throw new QuestionError(
    `--jwks ${text}: say whose keys these are, as --jwks ISSUER=FILE; the callee takes tokens of several issuers whose keys are fetched: ${listed(here)}`,
  );
}

function unknownIssuer(text: string, anywhere: readonly string[]): QuestionError {
  const known =
    anywhere.length === 0
      ? "the mesh has no issuer whose keys are fetched"
      : `issuers whose keys are fetched: ${listed(anywhere)}`;
  return new QuestionError(`--jwks ${text}: expected ISSUER=FILE, or FILE; ${known}`);
}

function listed(issuers: readonly string[]): string {
  return issuers.map((issuer) => (issuer === "" ? '"" (any)' : quoted(issuer))).join(", ");
}

/** Read as if it had been fetched: what the mesh would not take from an issuer verifies nothing here either. */
async function readKeys(file: string): Promise<string> {
  const takes = "FILE, or ISSUER=FILE, of a JSON Web Key Set";
  const text = await readOptionFile({ option: "--jwks", file, takes });
  try {
    return await findKeySet({ from: "uri", uri: file }, async () => text);
  } catch (error) {
    if (error instanceof FetchDocumentError) throw new QuestionError(`--jwks ${error.message}`);
    throw error;
  }
}
