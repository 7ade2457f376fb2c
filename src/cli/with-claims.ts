/** `--claims FILE`: the payload of a token that the callee's sidecar is taken to have verified. */
import { readOptionFile } from "./read-option-file.ts";

/**
 * Reads the file, if one is named, so that the question can be parsed.
 *
 * @throws QuestionError when it cannot be read
 */
export async function withClaims<T extends { readonly claims?: string }>(
  asked: T,
): Promise<T & { readonly claimsFile?: string }> {
  const { claims } = asked;
  if (claims === undefined) return asked;
  const takes = "a file of JSON, the payload of a token";
  const text = await readOptionFile({ option: "--claims", file: claims, takes });
  return { ...asked, claims: text, claimsFile: claims };
}
