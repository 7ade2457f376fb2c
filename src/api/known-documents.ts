/** Texts read document by document: of one that changed, only the documents that are other than before, or elsewhere. */
import { type ReadDocument, readDocuments } from "./parse-resources.ts";
import { type TextPart, textParts } from "./text-parts.ts";
import { MAX_DOCUMENTS, MAX_TEXT_LENGTH } from "./yaml-composition.ts";

interface KnownText {
  readonly text: string;
  readonly documents: readonly ReadDocument[];
  /** By line and text: those without a fault. */
  readonly parts: ReadonlyMap<string, readonly ReadDocument[]>;
}

/** Of each file the text that was read last. A document that is known is the same object again, with the same resources. */
export class KnownDocuments {
  readonly #files: Map<string, KnownText> = new Map();

  /** As `readDocuments`. */
  read(text: string, file: string): readonly ReadDocument[] {
    const known = this.#files.get(file);
    if (known?.text === text) return known.documents;
    const parts = new Map<string, readonly ReadDocument[]>();
    const documents = this.#readParts(partsOf(text), { file, parts }) ?? readDocuments(text, file);
    this.#files.set(file, { text, documents, parts });
    return documents;
  }

  /** Forgets all others. */
  retain(files: ReadonlySet<string>): void {
    for (const file of this.#files.keys()) if (!files.has(file)) this.#files.delete(file);
  }

  /** @returns undefined where a part has a fault: what is said of it may be said of the whole */
  #readParts(
    parts: readonly TextPart[] | undefined,
    reading: { readonly file: string; readonly parts: Map<string, readonly ReadDocument[]> },
  ): readonly ReadDocument[] | undefined {
    if (parts === undefined) return undefined;
    const known = this.#files.get(reading.file)?.parts;
    const documents: ReadDocument[] = [];
    for (const { text, linesBefore } of parts) {
      const key = `${linesBefore}\n${text}`;
      const read =
        known?.get(key) ?? readDocuments(text, reading.file, (line) => line + linesBefore);
      if (read.some(({ issues }) => issues.length > 0)) return undefined;
      reading.parts.set(key, read);
      documents.push(...read);
    }
    return documents;
  }
}

/** What is too large is refused as a whole. */
function partsOf(text: string): readonly TextPart[] | undefined {
  const parts = text.length > MAX_TEXT_LENGTH ? undefined : textParts(text);
  return parts === undefined || parts.length > MAX_DOCUMENTS ? undefined : parts;
}
