/** Notices on one resource: the first hundred, and how many more there are. */
import { BoundedList } from "../api/bounded-list.ts";
import type { Notice } from "../api/resource.ts";

export function boundedNotices(notices: readonly Notice[]): readonly Notice[] {
  const list = new BoundedList<Notice>();
  for (const notice of notices) list.add(notice);
  return toldOf(list);
}

/** What of a list is told. */
export function toldOf({ told, rest }: BoundedList<Notice>): readonly Notice[] {
  if (rest === undefined) return told;
  const message = `and ${rest.count} more such notes on this resource`;
  return [...told, { source: rest.first.source, path: "", message }];
}
