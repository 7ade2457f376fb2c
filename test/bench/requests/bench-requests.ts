/** `npm run bench -- requests`: what knowing the user, asking an authorizer and counting add to a request, beside Envoy's same filters. */
import { benchFigures } from "../sidecar/bench-sidecar.ts";
import { requestFigures } from "./request-figures.ts";

const USAGE = `npm run bench -- requests [--only NAME,...] [--stacks NAME,...] [--cycles N] [--seconds S]
                          [--ramp S] [--node PATH] [--profile FOLDER] [--out FILE]

Measures what one more step adds to a request at the callee's proxy: its processor time with the step less that without,
in the same cycle, beside the same of Envoy and its own filter. Everything else is as in "npm run bench -- sidecar":
options, machine, and what makes a cycle void. Exit code 1 when a goal falls short.`;

/** @returns the exit code: 1 when a goal is missed */
export function benchRequests(args: readonly string[]): Promise<number> {
  return benchFigures(args, { figuresFor: () => requestFigures(), usage: USAGE });
}
