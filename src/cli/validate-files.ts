/** What `validate` says of files: what Istio's gates and this product say of each document, and of all together. */
import { joinMeshConfigs } from "../api/join-mesh-configs.ts";
import type { Issue, Notice } from "../api/resource.ts";
import {
  asIstioJudges,
  type ValidatedDocument,
  validateResources,
} from "../api/validate-resources.ts";
import { filesAt, readResourceInput, readResourceText } from "../control/resource-files.ts";
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
  const { texts, unreadable } = await readAll(paths, input);
  const documents = [...texts]
    .flatMap(([file, text]) =>
      typeof text === "object" ? noText(text) : validateResources(text, file),
    )
    .filter((document) => !isEmptyList(document));
  const judged = withDuplicates(documents).map(withRefusal);
  return {
    documents: judge === "istio" ? judged.map(asIstioJudges) : withAuthorizers(judged),
    unreadable,
  };
}

/** What kubectl prints where there is nothing of the kind: whoever asked the wrong cluster has checked nothing. */
function isEmptyList({ kind, issues }: ValidatedDocument): boolean {
  return kind === "List" && issues.length === 0;
}

interface ReadFiles {
  /** By file: its text, or what in it is none. */
  readonly texts: ReadonlyMap<string, string | Issue>;
  readonly unreadable: ValidatedFiles["unreadable"];
}

async function readAll(
  paths: readonly string[],
  input: AsyncIterable<Uint8Array>,
): Promise<ReadFiles> {
  const texts = new Map<string, string | Issue>();
  const unreadable: ValidatedFiles["unreadable"][number][] = [];
  const attempt = async (file: string, read: () => Promise<void>): Promise<void> => {
    try {
      await read();
    } catch (error) {
      unreadable.push({ file, problem: describeError(error) });
    }
  };
  for (const path of new Set(paths)) {
    await attempt(path, async () => {
      if (path === STANDARD_INPUT) {
        texts.set("<stdin>", await readResourceInput("<stdin>", input));
        return;
      }
      for (const file of await filesAt(path)) {
        const pipe = file === path ? "read" : "refused";
        await attempt(
          file,
          async () => void texts.set(file, await readResourceText(file, { pipe })),
        );
      }
    });
  }
  return { texts, unreadable };
}

function noText(issue: Issue): ValidatedDocument {
  const { source } = issue;
  return { source, issues: [issue], notices: [], gates: "not asked", resources: [] };
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
