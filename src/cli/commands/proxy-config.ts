/** `hauberk proxy-config secret`: which certificate a sidecar has, and which roots it trusts. */
import type { SidecarCertificates } from "../../identity/sidecar-certificates.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { MeshClient } from "../../local/joining/mesh-client.ts";
import type { Clock } from "../../runtime/clock.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { envoySecrets, secretTable } from "../format-secrets.ts";
import { jsonText } from "../json-text.ts";
import type { Print } from "../print-line.ts";

/** There is no such pod, or its sidecar does not tell. */
export class NoSidecarAnswerError extends HauberkError {
  readonly code = "HAUBERK_NO_SIDECAR_ANSWER";
}

export interface ProxyConfigSecretOptions {
  readonly data: string;
  readonly namespace: string;
  readonly output: "table" | "json";
}

/** @throws NoMeshError, NoSidecarAnswerError */
export async function proxyConfigSecretCommand(
  text: string,
  { data, namespace, output }: ProxyConfigSecretOptions,
  { print, clock }: { readonly print: Print; readonly clock: Clock },
): Promise<number> {
  const certificates = await ask(new DataDirectory(data), podNamed(text, namespace));
  if (output === "json") print(jsonText(envoySecrets(certificates)));
  else for (const line of secretTable(certificates, clock.now())) print(line);
  return 0;
}

const KINDS = /^(?:po|pods?|deploy|deployments?|sts|statefulsets?|jobs?)(?:\.apps|\.batch)?\/(.+)$/;

/**
 * The names that istioctl takes, and our own `NAMESPACE/NAME`.
 *
 * @returns the name of a pod, or of what its pod was made from
 */
export function podNamed(
  text: string,
  namespace: string,
): { readonly namespace: string; readonly name: string } {
  const ofKind = KINDS.exec(text)?.[1];
  const slash = ofKind === undefined ? text.indexOf("/") : -1;
  if (slash > 0) return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
  const name = ofKind ?? text;
  const dot = name.lastIndexOf(".");
  return dot > 0
    ? { namespace: name.slice(dot + 1), name: name.slice(0, dot) }
    : { namespace, name };
}

async function ask(
  dataDirectory: DataDirectory,
  pod: { readonly namespace: string; readonly name: string },
): Promise<SidecarCertificates> {
  const client = await MeshClient.connect(dataDirectory);
  try {
    const reply = await client.ask({ type: "certificates", ...pod });
    if (reply.type === "certificates") return reply.certificates;
    throw new NoSidecarAnswerError(reply.type === "refused" ? reply.problem : reply.type);
  } finally {
    client.close();
  }
}
