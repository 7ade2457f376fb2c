/** How a request travels, in words: by which transport, who proves what, and which resources say so. */
import { formatLocation, formatRef } from "../api/resource.ts";
import type { Decision, Origin } from "../policy/decision.ts";
import type { Judgement, Transport } from "../policy/judge.ts";

/** A label, "" where it is that of the row above, and a line. */
export type LabelledRow = readonly [label: string, text: string];

export function transportRows({
  decision,
  transport,
  clientTls,
  mutualTls,
  server,
}: Judgement): readonly LabelledRow[] {
  const modes: LabelledRow[] = [
    ...(clientTls ? [["client TLS", modeInWords(clientTls)] as const] : []),
    ...(mutualTls ? [["mode", modeInWords(mutualTls)] as const] : []),
    ...(server ? [["server", `${server.mode}, by ${originInWords(server.origin)}`] as const] : []),
  ];
  if (transport.kind === "plaintext") {
    const spoken = spokenToServer(server) ?? "plaintext: the caller proves no identity";
    return [["transport", spoken], ...modes];
  }
  return [
    ["transport", "mutual TLS"],
    ...identitiesInWords(transport, decision).map((line) => ["", line] as const),
    ...modes,
  ];
}

/** Of TLS that is not the mesh's: it makes nobody a principal. */
function spokenToServer(server: Judgement["server"]): string | undefined {
  switch (server?.mode) {
    case "SIMPLE":
    case "OPTIONAL_MUTUAL":
      return "TLS: the caller proves no identity of the mesh";
    case "MUTUAL":
      return "TLS, with a certificate that the server is taken to trust: the caller proves no identity of the mesh";
    case "PASSTHROUGH":
    case "AUTO_PASSTHROUGH":
      return "TLS, which the gateway passes on: the caller proves no identity to it";
    default:
      return undefined;
  }
}

function modeInWords({ mode, origin }: { readonly mode: string; readonly origin: Origin }): string {
  return `${mode}, set by ${originInWords(origin)}`;
}

type MutualTls = Extract<Transport, { kind: "mutual-tls" }>;

/** Where the handshake fails, nobody has proved anything. */
function identitiesInWords(
  { caller, callee, accepted }: MutualTls,
  { reason: { because } }: Decision,
): string[] {
  switch (because) {
    case "callee-not-verified":
      return [`the caller would prove ${caller}`, `the callee must prove ${oneOf(accepted)}`];
    case "peer-not-verified":
    case "tls-refused":
    case "network-policy":
      return [`the caller would prove ${caller}`, `the callee would prove ${callee}`];
    default:
      return [`the caller proves ${caller}`, `the callee proves ${callee}`];
  }
}

function oneOf(accepted: MutualTls["accepted"]): string {
  if (accepted === "any") return "an identity of the mesh";
  if (accepted.length === 0) return "a name that no certificate of the mesh has";
  return accepted.join(" or ");
}

function originInWords(origin: Origin): string {
  if (origin === "default") return "the mesh's default";
  return `${formatRef(origin.ref)} (${formatLocation(origin.source)})`;
}
