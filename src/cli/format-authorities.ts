/** The authorities of a mesh, and how far its sidecars are with them, as tables for people. Pure. */
import type {
  AuthorityFacts,
  AuthorityOverview,
  CustomAuthority,
  SidecarFacts,
} from "../control/authority-overview.ts";
import type { RootFacts } from "../control/root-facts.ts";
import type { Blocker } from "../control/rotation-gate.ts";
import { sidecarName } from "../control/sidecar-state.ts";
import { alignColumns } from "./align-columns.ts";
import { formatTimeLeft } from "./format-time-left.ts";

const AUTHORITY_HEADINGS = ["AUTHORITY", "STATE", "ORIGIN", "SUBJECT", "KEY", "ENDS IN"];
const ROOT_HEADINGS = ["TRUSTED ROOT", "SUBJECT", "ENDS IN"];
const SIDECAR_HEADINGS = ["SIDECAR", "CONNECTION", "ISSUER", "CERTIFICATE ENDS IN", "ROOTS"];

export function formatAuthorities(overview: AuthorityOverview, now: Date): readonly string[] {
  const { authorities, roots, sidecars, custom, renewal, notes, warnings, next } = overview;
  const authorityRows = authorities.map((authority) => authorityRow(authority, now));
  return [
    ...alignColumns([AUTHORITY_HEADINGS, ...authorityRows]),
    "",
    ...alignColumns([ROOT_HEADINGS, ...roots.map((root) => rootRow(root, now))]),
    "",
    ...alignColumns([SIDECAR_HEADINGS, ...sidecars.map((sidecar) => sidecarRow(sidecar, now))]),
    "",
    ...(custom === undefined ? [] : [formatCustom(custom)]),
    ...(renewal === undefined ? [] : [`renewal of the self-signed root: ${renewal}`]),
    ...notes.map((note) => `note: ${note}`),
    ...(warnings.length === 0 ? [wellWords(overview)] : warnings),
    `next: ${next.text}`,
    ...formatBlockers(next.blockers),
  ];
}

/** Half of a rotation is no state to be content with, though nothing is wrong with it yet. */
function wellWords({ next }: AuthorityOverview): string {
  return next.step === undefined ? "all is well" : "nothing is wrong; a rotation is under way";
}

export function formatBlockers(blockers: readonly Blocker[]): readonly string[] {
  return blockers.map(({ pod, lacks }) => `  ${pod} ${lacks}`);
}

/** `authority 0123456789abcdef (O=cluster.local, ECDSA P-256), ends in 3649 d` */
export function describeAuthority(authority: AuthorityFacts, now: Date): string {
  const { id, subject, keyAlgorithm } = authority;
  return `authority ${id} (${subject}, ${keyAlgorithm}), ends in ${endsIn(authority, now)}`;
}

function authorityRow(authority: AuthorityFacts, now: Date): readonly string[] {
  const { id, state, origin, subject, keyAlgorithm } = authority;
  return [id, state, origin, subject, keyAlgorithm, endsIn(authority, now)];
}

function rootRow({ id, subject, notAfter }: RootFacts, now: Date): readonly string[] {
  return [id, subject, formatTimeLeft(Date.parse(notAfter) - now.getTime())];
}

function endsIn({ chainNotAfter }: AuthorityFacts, now: Date): string {
  return formatTimeLeft(Date.parse(chainNotAfter) - now.getTime());
}

function sidecarRow(sidecar: SidecarFacts, now: Date): readonly string[] {
  const { connection, issuer, certificateEnds, acknowledged } = sidecar;
  return [
    sidecarName(sidecar),
    connection,
    issuer ?? "-",
    certificateEnds === undefined
      ? "-"
      : formatTimeLeft(Date.parse(certificateEnds) - now.getTime()),
    acknowledged ? "acknowledged" : "not acknowledged",
  ];
}

function formatCustom({ directory, doing }: CustomAuthority): string {
  return `custom authority of ${directory}: ${doing}`;
}
