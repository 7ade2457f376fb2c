/**
 * YAML text as the library's documents, within bounds: who writes a file is not always trusted, and the library spends
 * a kilobyte and several microseconds on a word of two characters.
 */
import { Composer, type CST, type Document, Lexer, type LineCounter, Parser } from "yaml";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Longest text read, in UTF-16 code units. */
export const MAX_TEXT_LENGTH: number = 8 * 1024 * 1024;
export const MAX_DOCUMENTS = 20_000;
const MAX_SYNTAX_ERRORS = 1_000;
/** Words, marks, spaces and line ends of one document: what people write has 400,000 in 1 MB. */
const MAX_TOKENS = 600_000;
/** What a bracket takes of that: the library makes most of it. */
const TOKENS_OF_BRACKET = 4;
const MAX_ALIASES = 20_000;
/** Deepest tree. The library recurses, so the text is measured before it gets that far. */
export const MAX_DEPTH = 64;

/** The text asks for more than we are ready to spend on it. */
export class YamlLimitError extends HauberkError {
  readonly code = "HAUBERK_YAML_LIMIT";
  readonly offset: number;
  constructor(offset: number, problem: string) {
    super(problem);
    this.offset = offset;
  }
}

/**
 * One document after the other, each with its errors.
 *
 * @param counter is told where the lines begin
 * @throws YamlLimitError
 */
export function* composedDocuments(text: string, counter: LineCounter): Generator<Document.Parsed> {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new YamlLimitError(0, `is longer than ${MAX_TEXT_LENGTH} characters`);
  }
  let documents = 0;
  for (const document of boundedComposer().compose(measuredTokens(text, counter))) {
    documents++;
    if (documents > MAX_DOCUMENTS) {
      throw new YamlLimitError(document.range[0], `has more than ${MAX_DOCUMENTS} documents`);
    }
    yield document;
  }
}

/** The library would make an error, with its stack, of each of a million commas; one is told. */
function boundedComposer(): Composer {
  // The tags of YAML 1.1 make no value that a resource could have, and some take quadratic time.
  const options = { prettyErrors: false, uniqueKeys: false, resolveKnownTags: false };
  const composer = new Composer(options);
  const collect: unknown = Reflect.get(composer, "onError");
  if (typeof collect !== "function") throw new Error("the YAML library has changed");
  let errors = 0;
  Reflect.set(composer, "onError", (...told: unknown[]) => {
    if (++errors <= MAX_SYNTAX_ERRORS) Reflect.apply(collect, composer, told);
  });
  return composer;
}

/** The library's own parser, stopped before a nesting that would overflow the stack of what comes after it. */
function* measuredTokens(text: string, counter: LineCounter): Generator<CST.Token> {
  counter.addNewLine(0);
  const parser = new Parser(counter.addNewLine);
  let errors = 0;
  let tokens = 0;
  let aliases = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens += lexeme === "[" || lexeme === "{" ? TOKENS_OF_BRACKET : 1;
    if (lexeme.startsWith("*")) aliases++;
    for (const token of parser.next(lexeme)) {
      if (token.type === "document") tokens = aliases = 0;
      if (token.type === "error" && ++errors > MAX_SYNTAX_ERRORS) {
        throw new YamlLimitError(parser.offset, `has more than ${MAX_SYNTAX_ERRORS} syntax errors`);
      }
      yield token;
    }
    if (parser.stack.length > 2 * MAX_DEPTH) {
      throw new YamlLimitError(parser.offset, `is nested deeper than ${MAX_DEPTH}`);
    }
    if (tokens > MAX_TOKENS) {
      const limit = `more than ${MAX_TOKENS} words and marks`;
      throw new YamlLimitError(parser.offset, `has ${limit}; expected smaller documents`);
    }
    if (aliases > MAX_ALIASES) {
      throw new YamlLimitError(parser.offset, `has more than ${MAX_ALIASES} aliases`);
    }
  }
  yield* parser.end();
}
