/** Callers by what people write of them, or copy from a log; whatever is not known is answered with what is. */
import { plainAddress } from "../api/plain-address.ts";
import { InvalidSpiffeIdError, parseSpiffeId, type SpiffeId } from "../identity/spiffe-id.ts";
import type { MeshSnapshot } from "../policy/mesh-snapshot.ts";
import { type Caller, QuestionError } from "../policy/question.ts";
import { findWorkload, workloadHint } from "./find-workload.ts";

const SCHEME = "spiffe://";
const NAME = /^([^/:\s]+)\/([^/:\s]+)$/;
/** As logs and rules spell an identity: without the scheme. */
const PRINCIPAL = /^[^/:\s]+\/ns\/[^/:\s]+\/sa\/[^/:\s]+$/;

/**
 * @param text `NAMESPACE/WORKLOAD`, an identity with or without `spiffe://`, or `outside`
 * @throws QuestionError naming what is known
 */
export function findCaller(snapshot: MeshSnapshot, text: string): Caller {
  if (text === "outside") return text;
  if (text.startsWith(SCHEME)) return { identity: identityNamed(text) };
  if (PRINCIPAL.test(text)) return { identity: identityNamed(`${SCHEME}${text}`) };
  const [, namespace] = NAME.exec(text) ?? [];
  if (namespace === undefined) {
    throw new QuestionError(`--from ${text}: expected NAMESPACE/WORKLOAD, spiffe://… or outside`);
  }
  const workload = findWorkload(snapshot, text);
  if (workload !== undefined) return workload;
  const { trustDomain } = snapshot.settings;
  const identity = `${SCHEME}${trustDomain}/ns/${namespace}/sa/SERVICEACCOUNT`;
  const more = `, outside; one that has ended, or is elsewhere, is named by its identity: ${identity}`;
  throw new QuestionError(
    `--from ${text}: no such workload; ${workloadHint(snapshot, text, { more })}`,
  );
}

/** @throws QuestionError */
export function callerAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const address = plainAddress(text);
  if (address !== undefined) return address;
  throw new QuestionError(`--address ${text}: expected an IP address, as in 203.0.113.9`);
}

function identityNamed(text: string): SpiffeId {
  try {
    return parseSpiffeId(text);
  } catch (error) {
    if (!(error instanceof InvalidSpiffeIdError)) throw error;
    throw new QuestionError(`--from ${error.message}`);
  }
}
