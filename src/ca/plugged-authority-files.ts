/** The files of an authority that somebody brings, as they lie there: which of them, and what is in them (CA-43, CA-44). */
import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { NotReadableFileError, readRegularFile } from "../runtime/regular-file.ts";
import { MAX_FILE_BYTES } from "./key-directory.ts";

const OTHERS = 0o077;
/** Kubernetes swaps this link when it changes a mounted secret, so all files behind it are of one state. */
const MOUNTED = "..data";

/** The names that a set of files goes by. */
export interface AuthorityFileNames {
  readonly certificate: string;
  readonly key: string;
  readonly roots: string;
  /** Where the certificates between the signing one and its root are, besides the file of the signing one. */
  readonly chain: string;
  /** Undefined where such a set has none (CA-43). */
  readonly lists: string | undefined;
}

const ISTIO: AuthorityFileNames = {
  certificate: "ca-cert.pem",
  key: "ca-key.pem",
  roots: "root-cert.pem",
  chain: "cert-chain.pem",
  lists: "ca-crl.pem",
};

/** A secret of type `kubernetes.io/tls`, as cert-manager writes it; it wins when both are there. */
const KUBERNETES: AuthorityFileNames = {
  certificate: "tls.crt",
  key: "tls.key",
  roots: "ca.crt",
  chain: "ca.crt",
  lists: undefined,
};

export interface AuthorityFiles {
  readonly names: AuthorityFileNames;
  /** By name; only those that could be read. */
  readonly texts: ReadonlyMap<string, string>;
  /** One sentence each, beginning with the file's name. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** Equal for equal contents; a hash, so that no key is kept. */
  readonly fingerprint: string;
}

interface ReadFile {
  readonly text?: string;
  readonly problem?: string;
  readonly note?: string;
}

/** Reads what is there, and says what is not; throws nothing. */
export async function readPluggedFiles(directory: string): Promise<AuthorityFiles> {
  const folder = await settledFolder(directory);
  const names = (await exists(join(folder, KUBERNETES.certificate))) ? KUBERNETES : ISTIO;
  const missing = await folderProblem(folder);
  if (missing !== undefined) return withoutFiles(names, missing);
  const texts = new Map<string, string>();
  const problems: string[] = [];
  const notes: string[] = [];
  for (const [name, expected] of wantedFiles(names)) {
    const { text, problem, note } = await readOne(join(folder, name), {
      isKey: name === names.key,
      expected,
    });
    if (text !== undefined) texts.set(name, text);
    if (problem !== undefined) problems.push(`${name} ${problem}`);
    if (note !== undefined) notes.push(`${name} ${note}`);
  }
  const fingerprint = createHash("sha256").update(JSON.stringify([[...texts], problems, notes]));
  return { names, texts, problems, notes, fingerprint: fingerprint.digest("hex") };
}

/** One sentence for all files. */
function withoutFiles(names: AuthorityFileNames, problem: string): AuthorityFiles {
  const fingerprint = createHash("sha256").update(problem).digest("hex");
  return { names, texts: new Map(), problems: [problem], notes: [], fingerprint };
}

async function folderProblem(folder: string): Promise<string | undefined> {
  const found = await stat(folder).catch((error: unknown) => codeOf(error));
  if (found === "ENOENT") return "there is no such folder";
  if (typeof found === "string") return `the folder cannot be read: ${found}`;
  return found.isDirectory() ? undefined : "it is no folder";
}

/** By name: what is expected there; undefined where the file may be left out. */
function wantedFiles(names: AuthorityFileNames): ReadonlyMap<string, string | undefined> {
  const wanted = new Map<string, string | undefined>([
    [names.certificate, "the certificate that signs workloads, in PEM"],
    [names.key, `the private key of ${names.certificate}, in PEM`],
    [names.chain, `the certificates from ${names.certificate} up to its root, in PEM`],
    [names.roots, "the root that all meshes of this authority trust, in PEM"],
  ]);
  if (names.lists !== undefined) wanted.set(names.lists, undefined);
  return wanted;
}

/** Whether a folder is there that holds none of the files yet: whoever makes them has not begun. */
export async function awaitsPluggedFiles(directory: string): Promise<boolean> {
  const folder = await settledFolder(directory);
  if (!(await exists(folder))) return false;
  const names = [ISTIO, KUBERNETES].flatMap((set) => [...wantedFiles(set).keys()]);
  const found = await Promise.all(names.map((name) => exists(join(folder, name))));
  return !found.includes(true);
}

async function settledFolder(directory: string): Promise<string> {
  return realpath(join(directory, MOUNTED)).catch(() => directory);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function readOne(
  path: string,
  { isKey, expected }: { readonly isKey: boolean; readonly expected: string | undefined },
): Promise<ReadFile> {
  try {
    // Mounted secrets are links.
    const { bytes, mode } = await readRegularFile(path, {
      maxBytes: MAX_FILE_BYTES,
      links: "followed",
    });
    const note = isKey && (mode & OTHERS) !== 0 ? keyNote(mode) : undefined;
    return { text: bytes.toString("utf8"), ...(note === undefined ? {} : { note }) };
  } catch (error) {
    if (error instanceof NotReadableFileError) return { problem: error.message };
    if (codeOf(error) !== "ENOENT") return { problem: `cannot be read: ${codeOf(error)}` };
    return expected === undefined ? {} : { problem: `is missing: expected ${expected}` };
  }
}

/** Not refused: a mounted secret is open to its whole container, and the folder is not ours. */
function keyNote(mode: number): string {
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  return `has mode ${shown}, so that others than its owner may read the key: 0600 is enough`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
