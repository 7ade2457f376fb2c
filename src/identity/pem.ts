/** PEM (RFC 7468), strictly: nothing but the blocks asked for. */
import { HauberkError } from "../runtime/hauberk-error.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\r?\n?/g;
const LINE_CHARACTERS = 64;

/** Text that is not PEM of the kind expected, or too long. */
export class InvalidPemError extends HauberkError {
  readonly code = "HAUBERK_INVALID_PEM";
}

export interface PemOptions {
  /** Accepted labels, such as `CERTIFICATE`. */
  readonly labels: readonly string[];
  /** Longest text accepted, in characters. */
  readonly maxCharacters: number;
}

/**
 * The DER of every block, in order; at least one.
 *
 * @throws InvalidPemError if there is anything but such blocks and white space between them
 */
export function readPem(text: string, { labels, maxCharacters }: PemOptions): Buffer[] {
  if (text.length > maxCharacters)
    throw new InvalidPemError(`the PEM is longer than ${maxCharacters} characters`);
  if (text.replaceAll(BLOCK, "").trim() !== "")
    throw new InvalidPemError("there is text that is not PEM");
  const blocks = [...text.matchAll(BLOCK)].map(([, label = "", body = ""]) => {
    if (!labels.includes(label))
      throw new InvalidPemError(`found ${JSON.stringify(label)}, expected ${labels.join(" or ")}`);
    return readBase64(body.replaceAll(/[\r\n]/g, ""));
  });
  if (blocks.length === 0) throw new InvalidPemError(`there is no ${labels.join(" or ")} in it`);
  return blocks;
}

export function formatPem(label: string, der: Uint8Array): string {
  const text = Buffer.from(der).toString("base64");
  const lines: string[] = [];
  for (let start = 0; start < text.length; start += LINE_CHARACTERS) {
    lines.push(text.slice(start, start + LINE_CHARACTERS));
  }
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function readBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new InvalidPemError("the base64 is not canonical");
  return bytes;
}
