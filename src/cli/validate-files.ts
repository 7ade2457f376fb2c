/** What `validate` says of files: what Istio's gates and this product say of each document, and of all together. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { joinMeshConfigs } from "../api/join-mesh-configs.ts";
import type { Notice } from "../api/resource.ts";
import {
  asIstioJudges,
  type ValidatedDocument,
  validateResources,
} from "../api/validate-resources.ts";
import { filesAt } from "../control/resource-files.ts";
import { duplicateIssues } from "../control/written-texts.ts";
import { authorizerNotices } from "../policy/authorizer-notices.ts";
import { unenforcedIssues } from "../policy/unenforced-resources.ts";
import { describeError } from "../runtime/hauberk-error.ts";

export interface ValidatedFiles {
  readonly documents: readonly ValidatedDocument[];
  readonly unreadable: readonly { readonly file: string; readonly problem: string }[];
}

/** "mesh": whoever would run the files; "istio": Istio's gates alone, so that all else is a note. */
export type Judge = "mesh" | "istio";

const STANDARD_INPUT = "-";

/**
 * @param paths files, folders of them, or `-` for the input; a file that is named twice is read once
 * @param options.input what `-` reads
 */
export async function validateFiles(
  paths: readonly string[],
  { judge, input }: { readonly judge: Judge; readonly input: AsyncIterable<Uint8Array> },
): Promise<ValidatedFiles> {
  const texts = new Map<string, string>();
  const unreadable: ValidatedFiles["unreadable"][number][] = [];
  for (const path of new Set(paths)) {
    try {
      for (const [file, content] of await textsAt(path, input)) texts.set(file, content);
    } catch (error) {
      unreadable.push({ file: path, problem: describeError(error) });
    }
  }
  const documents = [...texts].flatMap(([file, content]) => validateResources(content, file));
  const judged = withDuplicates(documents).map(withRefusal);
  return {
    documents: judge === "istio" ? judged.map(asIstioJudges) : withAuthorizers(judged),
    unreadable,
  };
}

async function textsAt(
  path: string,
  input: AsyncIterable<Uint8Array>,
): Promise<readonly (readonly [file: string, content: string])[]> {
  if (path === STANDARD_INPUT) return [["<stdin>", await text(input)]];
  const files = await filesAt(path);
  return Promise.all(files.map(async (file) => [file, await readFile(file, "utf8")] as const));
}

function withDuplicates(documents: readonly ValidatedDocument[]): readonly ValidatedDocument[] {
  const duplicates = duplicateIssues(documents.flatMap(({ resources }) => resources));
  if (duplicates.length === 0) return documents;
  const at = new Map(duplicates.map((issue) => [issue.source, issue]));
  return documents.map((document) => {
    const own = document.resources.flatMap(({ meta }) => at.get(meta.source) ?? []);
    return { ...document, issues: [...document.issues, ...own] };
  });
}

/** What is good, and yet keeps a mesh from starting. */
function withRefusal(document: ValidatedDocument): ValidatedDocument {
  const refusals = unenforcedIssues(document.resources).map(
    ({ source, path, problem }): Notice => ({
      source,
      path,
      message: `\`up\` refuses this: ${problem}`,
    }),
  );
  return { ...document, notices: [...document.notices, ...refusals] };
}

/** What `up` and `status` say of policies that refuse since nobody can be asked; of what is faulty nobody knows what it would define. */
function withAuthorizers(documents: readonly ValidatedDocument[]): readonly ValidatedDocument[] {
  if (documents.some(({ issues }) => issues.length > 0)) return documents;
  const resources = joinMeshConfigs(documents.flatMap((document) => document.resources));
  const notices = authorizerNotices(resources);
  if (notices.length === 0) return documents;
  const told = new Map<ValidatedDocument, readonly Notice[]>();
  for (const notice of notices) {
    const about = documentAt(notice, documents);
    if (about !== undefined) told.set(about, [...(told.get(about) ?? about.notices), notice]);
  }
  return documents.map((document) => ({
    ...document,
    notices: told.get(document) ?? document.notices,
  }));
}

/** The last that begins before it, in its file. */
function documentAt(
  { source: { file, line } }: Notice,
  documents: readonly ValidatedDocument[],
): ValidatedDocument | undefined {
  return documents.findLast(({ source }) => source.file === file && source.line <= line);
}
