/** What a request to run a command in a container asks for. Source: Kubernetes core/v1 PodExecOptions. */
import { badRequest } from "../../api-server/objects/refusals.ts";
import { isTrue } from "../query.ts";

const MAX_WORDS = 1_024;

export interface ExecWish {
  readonly command: readonly [string, ...string[]];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** @throws StatusError 400 */
export function parseExecWish(query: URLSearchParams): ExecWish {
  const [program, ...parameters] = query.getAll("command");
  if (program === undefined || program === "") throw badRequest("you must specify a command");
  if (parameters.length >= MAX_WORDS)
    throw badRequest(`the command has more than ${MAX_WORDS} words`);
  const tty = isTrue(query, "tty");
  const wish = {
    stdin: isTrue(query, "stdin"),
    stdout: isTrue(query, "stdout"),
    stderr: isTrue(query, "stderr") && !tty, // a terminal has one output
    tty,
  };
  if (!wish.stdin && !wish.stdout && !wish.stderr)
    throw badRequest("you must specify at least one of stdin, stdout, stderr");
  return { command: [program, ...parameters], ...wish };
}
