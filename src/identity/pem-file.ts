/**
 * PEM as people keep it in files: several blocks of several kinds, with words before and between them (RFC 7468 section
 * 2), as `openssl ca` writes them. What a stranger sends is read by `readPem`, which knows no such leniency.
 */
import { InvalidPemError, readPem } from "./pem.ts";

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;

export interface PemBlock {
  /** Such as `CERTIFICATE`. */
  readonly label: string;
  /** The block alone, with its two lines and line ends. */
  readonly text: string;
}

/**
 * Every block, in order, not yet decoded.
 *
 * @throws InvalidPemError when a block does not end
 */
export function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly lines: string[] } | undefined;
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (open === undefined) {
      const label = BEGIN.exec(line)?.[1];
      if (label !== undefined) open = { label, lines: [line] };
      continue;
    }
    open.lines.push(line);
    if (line !== `-----END ${open.label}-----`) continue;
    blocks.push({ label: open.label, text: `${open.lines.join("\n")}\n` });
    open = undefined;
  }
  if (open !== undefined) throw new InvalidPemError(`a block ${open.label} does not end`);
  return blocks;
}

/**
 * The DER of every block of one kind; others are passed over.
 *
 * @returns none where there is no such block
 * @throws InvalidPemError
 */
export function readPemFile(text: string, label: string): readonly Buffer[] {
  return pemBlocks(text)
    .filter((block) => block.label === label)
    .flatMap(({ text }) => readPem(text, { labels: [label], maxCharacters: text.length }));
}
