/** The notes below an answer: those that concern it, and never so many that they hide it. */
import type { Notice } from "../api/resource.ts";
import { type Concern, concerningNotices } from "../policy/concerning-notices.ts";
import { formatNotice } from "./format-issue.ts";
import type { LoadedMesh } from "./load-mesh.ts";

const MOST_TOLD = 10;

export interface NoticeOptions {
  /** Whether every note is told, of whatever resource. */
  readonly allNotes?: boolean | undefined;
}

/** @returns an empty line, then one a note, and how many are left; no line where there is no note */
export function formatNotices(
  { notices, resources, snapshot }: LoadedMesh,
  { concern, allNotes = false }: NoticeOptions & { readonly concern: Concern },
): readonly string[] {
  if (notices.length === 0) return [];
  const told = allNotes ? notices : theFirst(notices, { resources, snapshot, concern });
  const left = notices.length - told.length;
  return ["", ...told.map(formatNotice), ...(left === 0 ? [] : [leftInWords(left, told.length)])];
}

function theFirst(
  notices: readonly Notice[],
  about: Parameters<typeof concerningNotices>[1],
): readonly Notice[] {
  return concerningNotices(notices, about).slice(0, MOST_TOLD);
}

function leftInWords(left: number, told: number): string {
  const notes = left === 1 ? "note" : "notes";
  return told === 0
    ? `${left} ${notes} on other parts of the mesh: --all-notes prints all`
    : `and ${left} more ${notes}: --all-notes prints all`;
}
