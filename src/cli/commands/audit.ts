/** `hauberk audit`: a mesh held against the practices that people are told to follow, each with evidence and a fix. */
import { type AuditedPractice, auditTexts } from "../../analysis/audit-texts.ts";
import type { LiveFacts } from "../../analysis/practice.ts";
import { TextReader } from "../../control/written-texts.ts";
import { askControlPlane, ControlPlaneAwayError } from "../../local/control-plane-client.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { findMesh } from "../../local/joining/mesh-client.ts";
import type { Clock } from "../../runtime/clock.ts";
import { printable } from "../../runtime/printable.ts";
import { analyzeAsked } from "../analyze-asked.ts";
import { askedTexts } from "../asked-texts.ts";
import { formatIssue } from "../format-issue.ts";
import { jsonText } from "../json-text.ts";
import type { Printers } from "../print-line.ts";
import { PROTECTION } from "../protection.ts";

export interface AuditCommandOptions {
  readonly data: string;
  readonly output?: "log" | "json";
  /** What `-` reads; absent: standard input. */
  readonly input?: AsyncIterable<Uint8Array>;
}

/** Exit codes: scripts rely on them. */
const ALL_MET = 0;
const NOT_MET = 1;
const NOT_LOOKED_AT = 2;

const MARKS = { met: "✔", "not met": "✘", "cannot tell": "?" } as const;

/**
 * @param paths files, folders of them, and `-`; none: the mesh that runs
 * @returns the exit code: 0 all that can be told is met, 1 something is not, 2 something could not be read
 * @throws NoMeshError, ControlPlaneAwayError
 */
export async function auditCommand(
  paths: readonly string[],
  options: AuditCommandOptions,
  { print, warn, clock }: Printers & { readonly clock: Clock },
): Promise<number> {
  const asked = await askedTexts({ paths, ...options });
  const { texts, issues, of } = asked;
  const live = of === "files" ? undefined : await liveFacts(options.data, clock);
  const { findings, problems } = await analyzeAsked(asked);
  const audited = auditTexts(texts, {
    now: clock.now(),
    findings,
    unanalyzed: problems,
    ...(live && { live }),
  });
  const unread = [...issues, ...new TextReader().read(texts).issues.filter(isUnread)];
  for (const issue of unread) warn(printable(formatIssue(issue)));
  if (options.output === "json") print(jsonText({ mode: live?.mode, practices: audited }));
  else for (const line of report(audited, live)) print(printable(line));
  if (unread.length > 0) return NOT_LOOKED_AT;
  return audited.some(({ verdict }) => verdict === "not met") ? NOT_MET : ALL_MET;
}

/** What is no YAML at all; what is wrong in a resource, `analyze` says. */
function isUnread({ level, path }: { readonly level?: string; readonly path: string }): boolean {
  return level === "document" && path === "";
}

function report(
  audited: readonly AuditedPractice[],
  live: LiveFacts | undefined,
): readonly string[] {
  const unmet = audited.filter(({ verdict }) => verdict === "not met");
  const lines = audited.flatMap((one) => [
    `${MARKS[one.verdict]} ${one.practice} [${one.id}]: ${one.verdict}`,
    ...one.evidence.map((told) => `    ${told}`),
    ...(one.verdict === "not met" ? fixOf(one, unmet) : []),
  ]);
  const count = (wanted: string): number =>
    audited.filter(({ verdict }) => verdict === wanted).length;
  const sums = ["met", "not met", "cannot tell"].map((one) => `${count(one)} ${one}`);
  const mode = live === undefined ? [] : [PROTECTION[live.mode]];
  return [...lines, sums.join(", "), ...mode];
}

/** What was told above is not told again. */
function fixOf(one: AuditedPractice, unmet: readonly AuditedPractice[]): readonly string[] {
  const first = unmet.find(({ fix }) => fix === one.fix);
  if (first !== undefined && first !== one) return [`    fix: the same as of ${first.id}`];
  return ["    fix:", ...one.fix.split("\n").map((line) => `      ${line}`)];
}

async function liveFacts(data: string, clock: Clock): Promise<LiveFacts> {
  const dataDirectory = new DataDirectory(data);
  const reply = await askControlPlane(dataDirectory, { type: "ca-status" });
  if (reply.type !== "ca-status")
    throw new ControlPlaneAwayError("the control plane does not tell of its authorities");
  const { authorities, sidecars, warnings } = reply.status;
  const { workloads } = await findMesh(dataDirectory);
  const hasAddresses = workloads.some(({ addresses }) => addresses !== undefined);
  return {
    now: clock.now(),
    mode: hasAddresses ? "namespaces" : "loopback",
    authorities,
    warnings,
    certificates: sidecars.flatMap(({ pod, certificateEnds }) =>
      certificateEnds === undefined ? [] : [{ pod, ends: certificateEnds }],
    ),
  };
}
