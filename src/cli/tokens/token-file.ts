/** `--token FILE|-`: the token of a user. Never an argument: others on the machine read the arguments of programs. */
import { text } from "node:stream/consumers";
import { MAX_REQUEST_TOKEN_CHARACTERS } from "../../jwt/read-token.ts";
import { QuestionError } from "../../policy/question.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { readOptionFile } from "../read-option-file.ts";

/** Of the file: a token, and what stands around it. */
const MAX_CHARACTERS = 4 * MAX_REQUEST_TOKEN_CHARACTERS;
const LOOKS_LIKE_TOKEN = /^(Bearer )?ey[\w-]+\.[\w-]*\./;
/** As it is written in a header. */
const SCHEME = /^(authorization: *)?Bearer +/i;
/** What no header can carry. */
const CONTROL = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * @param name of a file; "-" is the standard input
 * @returns the token, without blanks around it or the word Bearer before it
 * @throws QuestionError; its message never holds the token
 */
export async function readTokenFile(name: string): Promise<string> {
  if (LOOKS_LIKE_TOKEN.test(name))
    throw new QuestionError(
      "--token: expected a file, or - for the standard input, and not the token itself: others on this machine can read the arguments of programs",
    );
  const written = await readText(name);
  const token = written.trim().replace(SCHEME, "");
  if (token === "") throw new QuestionError(`--token ${name}: there is nothing in it`);
  if (token.length > MAX_CHARACTERS)
    throw new QuestionError(`--token ${name}: longer than ${MAX_CHARACTERS} characters`);
  const at = token.search(CONTROL);
  if (at >= 0)
    throw new QuestionError(
      `--token ${name}: what stands at character ${at + 1}, such as a line break, can be in no header: a token is one line`,
    );
  return token;
}

async function readText(name: string): Promise<string> {
  if (name === "-") return readInput();
  const takes = "a file that holds the token, or - for the standard input";
  return readOptionFile({ option: "--token", file: name, takes });
}

/** It can be read once, and more than one callee may be asked about the token. */
const inputs = new WeakMap<NodeJS.ReadStream, Promise<string>>();

async function readInput(): Promise<string> {
  try {
    const read = inputs.get(process.stdin) ?? text(process.stdin);
    inputs.set(process.stdin, read);
    return await read;
  } catch (error) {
    throw new QuestionError(`--token -: ${describeError(error)}`);
  }
}
