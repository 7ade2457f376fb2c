/** Pods with what they prove, and whatever is not as it should be. */
import type { WorkloadsView, WorkloadView } from "../views.ts";
import { bodyOf, byId, cell, element, emptyRow } from "./elements.ts";

/** Of a certificate that should have been renewed long ago. */
const SHORT_SECONDS = 600;

export function showWorkloads({ workloads, troubles }: WorkloadsView): void {
  const rows = workloads.map(rowOf);
  replaceRows(rows.length === 0 ? [emptyRow(5, "There are no pods.")] : rows);
  const list = byId("troubles");
  list.hidden = troubles.length === 0;
  list.replaceChildren(...troubles.map((trouble) => element("li", {}, trouble)));
}

/** Seconds pass between any two answers, which the table does not tell: what somebody marked in it stays marked. */
function replaceRows(rows: readonly HTMLElement[]): void {
  const body = bodyOf("workloads");
  if (rows.map(({ outerHTML }) => outerHTML).join("") !== body.innerHTML)
    body.replaceChildren(...rows);
}

function rowOf(workload: WorkloadView): HTMLElement {
  const { pod, kind, identity, ports } = workload;
  const modes = ports.map(({ port, mode }) => `${port} ${mode}`).join(", ");
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, pod),
    cell("Kind", kind),
    cell("Identity", identity ?? "none: no sidecar", identity === null ? "bad" : "identity"),
    certificateCell(workload),
    cell("Ports and modes", modes || "none"),
  );
}

function certificateCell({ identity, certificateSecondsLeft: left }: WorkloadView): HTMLElement {
  const what = "Certificate ends in";
  if (left === null) return cell(what, identity === null ? "no certificate" : "unknown");
  if (left <= 0) return cell(what, "it has ended", "bad");
  return cell(what, durationOf(left), left < SHORT_SECONDS ? "mixed" : "");
}

/** In minutes, so that the page does not change all the time. */
function durationOf(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return "less than a minute";
  if (minutes < 120) return `${minutes} min`;
  return minutes < 72 * 60
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.floor(minutes / 1440)} d`;
}
