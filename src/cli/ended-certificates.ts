/**
 * Certificates of a mesh that runs that have ended: whatever policies say, a call by mutual TLS with one of them fails.
 * What is written of a mesh does not tell; the sidecars are asked.
 */
import { DataDirectory, DEFAULT_DATA_DIRECTORY } from "../local/data-directory.ts";
import { MeshClient } from "../local/joining/mesh-client.ts";
import { certificateEnds } from "../local/pods/certificate-end.ts";
import type { Reason } from "../policy/decision.ts";
import type { Judgement } from "../policy/judge.ts";
import { callingWorkload, type Question } from "../policy/question.ts";
import type { Workload } from "../policy/workload.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Why they were not renewed is known to others. */
const WHY_ENDED =
  "certificates are renewed by the control plane: hauberk status says how it does, and kubectl rollout restart deployment istiod -n istio-system starts it anew";

/** Answers before any certificate is shown, or without any. */
const EARLIER: ReadonlySet<Reason["because"]> = new Set([
  "network-policy",
  "unknown-destination",
  "plaintext-refused",
  "tls-refused",
  "callee-not-verified",
  "peer-not-verified",
]);

/** What a certificate that has ended makes of a judgement. */
export interface EndedCertificate {
  readonly judgement: Judgement;
  /** What to do about it, as a sentence. */
  readonly advice: string;
}

/**
 * @param data of the mesh that runs
 * @returns undefined where none has ended, nobody says, or the call comes to nothing before
 */
export async function endedCertificate(
  judgement: Judgement,
  { from, to }: Pick<Question, "from" | "to">,
  {
    data = DEFAULT_DATA_DIRECTORY,
    now,
  }: { readonly data?: string | undefined; readonly now: Date },
): Promise<EndedCertificate | undefined> {
  const { transport, decision, clientTls } = judgement;
  if (transport.kind !== "mutual-tls" || EARLIER.has(decision.reason.because)) return undefined;
  const caller = callingWorkload(from);
  const pods = [to, ...(caller?.injected ? [caller] : [])];
  const [calleeEnded, callerEnded] = await endedOf(pods, {
    directory: new DataDirectory(data),
    now,
  });
  // The caller looks at the callee's certificate first (TLS-30).
  if (calleeEnded !== undefined)
    return refused(judgement, {
      because: "callee-not-verified",
      problem: problemOf(calleeEnded),
      origin: clientTls?.origin ?? "default",
    });
  if (callerEnded === undefined) return undefined;
  return refused(judgement, { because: "peer-not-verified", problem: problemOf(callerEnded) });
}

function problemOf(ended: string): string {
  return `its certificate ended ${ended}, and was not renewed`;
}

/** Nobody is asked any more: the connection does not come about. */
function refused(judgement: Judgement, reason: Reason): EndedCertificate {
  const { authorizers: _asked, limits: _counted, ...others } = judgement;
  return { judgement: { ...others, decision: { verdict: "deny", reason } }, advice: WHY_ENDED };
}

/** When the certificate of each ended; undefined where it has not, or its sidecar does not say. */
async function endedOf(
  pods: readonly Workload[],
  { directory, now }: { readonly directory: DataDirectory; readonly now: Date },
): Promise<readonly (string | undefined)[]> {
  try {
    const client = await MeshClient.connect(directory);
    try {
      return await Promise.all(pods.map((pod) => endedOfPod(pod, { client, now })));
    } finally {
      client.close();
    }
  } catch (error) {
    if (error instanceof HauberkError) return [];
    throw error;
  }
}

async function endedOfPod(
  { namespace, name }: Workload,
  { client, now }: { readonly client: MeshClient; readonly now: Date },
): Promise<string | undefined> {
  const reply = await client.ask({ type: "sidecar", namespace, name });
  const socket = reply.type === "sidecar" ? reply.adminSocket : undefined;
  const ends = (await certificateEnds(socket))?.ends;
  return ends !== undefined && Date.parse(ends) <= now.getTime() ? ends : undefined;
}
