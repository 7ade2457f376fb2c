/** What each of Istio's gates, and this product itself, says of each document of a text: nothing is left out. */
import { readDocuments } from "./parse-resources.ts";
import type { Issue, Notice, Resource, SourceLocation } from "./resource.ts";

export interface ValidatedDocument {
  /** As written; absent where the text is no resource. */
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Where the document begins; of one that cannot be read, where its first fault is. */
  readonly source: SourceLocation;
  /** In the order of lines; a fault that both gates find is there twice, each time with its `level`. */
  readonly issues: readonly Issue[];
  readonly notices: readonly Notice[];
  /** Whether Istio's gates were asked: they know the kinds of Istio alone. */
  readonly gates: "asked" | "not asked";
  /** Empty when there are issues. */
  readonly resources: readonly Resource[];
}

/**
 * Checks all documents of a text, as `parseResources` does. Never throws.
 *
 * @param file as it shall appear in issues and notices
 */
export function validateResources(text: string, file: string): readonly ValidatedDocument[] {
  return readDocuments(text, file).map(
    ({ kind, namespace, name, source, issues, notices, gates, resources }) => ({
      ...(kind === undefined ? {} : { kind }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...{ source, issues, notices, gates, resources },
    }),
  );
}

/** What Istio's two gates alone say: a fault that only this product finds becomes a note. */
export function asIstioJudges(document: ValidatedDocument): ValidatedDocument {
  const { issues, notices } = document;
  const ours = issues.filter(({ level }) => level === undefined);
  return {
    ...document,
    issues: issues.filter((issue) => !ours.includes(issue)),
    notices: [
      ...ours.map(({ source, path, problem }) => ({ source, path, message: problem })),
      ...notices,
    ],
  };
}
