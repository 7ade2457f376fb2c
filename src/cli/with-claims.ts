/** `--claims FILE`: the payload of a token that the callee's sidecar is taken to have verified. */
import { readFile } from "node:fs/promises";
import { QuestionError } from "../policy/question.ts";
import { describeError } from "../runtime/hauberk-error.ts";

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
  try {
    return { ...asked, claims: await readFile(claims, "utf8"), claimsFile: claims };
  } catch (error) {
    throw new QuestionError(`--claims ${claims}: ${describeError(error)}`);
  }
}
