/** The options of `hauberk run`, read into what is asked of the supervisor. */
import { basename } from "node:path";
import { JOIN_PROTOCOLS, type JoinPort, type JoinRequest } from "../local/joining/join-request.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** An option of a command is not understood; the message says what was expected. */
export class BadOptionError extends HauberkError {
  readonly code = "HAUBERK_BAD_OPTION";
}

export interface JoinOptions {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly port?: readonly string[];
  readonly label?: readonly string[];
  readonly listensOn?: readonly string[];
}

const PORT = /^(?:(http|http2|tcp):)?(\d{1,5})$/;
const LISTENS_ON = /^(?:(\d{1,5})=)?(\d{1,5})$/;
const LABEL = /^([^=]+)=(.*)$/;

/**
 * @param program the first word of the command line to run
 * @throws BadOptionError
 */
export function parseJoinOptions(options: JoinOptions, program: string): JoinRequest {
  const { name, namespace, serviceAccount, port = [], label = [], listensOn = [] } = options;
  const labels = Object.fromEntries(label.map(parseLabel));
  const ports = listensOn.reduce(placeProgram, port.map(parsePort));
  const numbers = new Set(ports.map((each) => each.port));
  if (numbers.size < ports.length) throw new BadOptionError("--port names a port twice");
  return { name, namespace, serviceAccount, labels, ports, program: basename(program) };
}

function parsePort(text: string): JoinPort {
  const [, protocol, number] = PORT.exec(text) ?? [];
  const port = portNumber(number);
  if (port === undefined) {
    throw new BadOptionError(`--port ${text}: expected PORT, http:PORT, http2:PORT or tcp:PORT`);
  }
  return { port, protocol: JOIN_PROTOCOLS.find((name) => name === protocol) ?? "auto" };
}

/** `--listens-on 6379` is about the only port there is; `8080=6379` names the declared one. */
function placeProgram(ports: readonly JoinPort[], text: string): JoinPort[] {
  const [, declared, number] = LISTENS_ON.exec(text) ?? [];
  const listensOn = portNumber(number);
  const [only] = ports.length === 1 ? ports : [];
  const port = declared === undefined ? only?.port : portNumber(declared);
  if (listensOn === undefined || !ports.some((each) => each.port === port)) {
    throw new BadOptionError(
      `--listens-on ${text}: expected PORT beside one --port, or DECLARED=PORT with a port that --port declares`,
    );
  }
  return ports.map((each) => (each.port === port ? { ...each, listensOn } : each));
}

function parseLabel(text: string): [string, string] {
  const [, key, value] = LABEL.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new BadOptionError(`--label ${text}: expected KEY=VALUE`);
  }
  return [key, value];
}

function portNumber(text: string | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}
