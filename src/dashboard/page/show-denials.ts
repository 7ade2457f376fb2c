/** What was refused, each with why; those that are open stay open. The newest stand there, the others below a fold. */
import type { DenialsView } from "../views.ts";
import { byId, element } from "./elements.ts";

type Denial = DenialsView["denials"][number];

const NEWEST = 6;

/** By what they say. */
const shown = new Map<string, { readonly details: HTMLElement; readonly times: HTMLElement }>();

export function showDenials({ denials }: DenialsView): void {
  const known = new Set(denials.map(({ summary }) => summary));
  for (const summary of shown.keys()) if (!known.has(summary)) shown.delete(summary);
  const list = byId("denials");
  if (denials.length === 0) {
    list.replaceChildren(element("p", { class: "empty" }, "Nothing was refused."));
    return;
  }
  const wanted = denials.map(detailsOf);
  const focused = document.activeElement;
  const older = wanted.slice(NEWEST);
  place(list, [...wanted.slice(0, NEWEST), ...(older.length > 0 ? [fold.details] : [])]);
  place(fold.list, older);
  const text = `${older.length} older ${older.length === 1 ? "one" : "ones"}`;
  if (fold.head.textContent !== text) fold.head.textContent = text;
  // Moving an element takes the focus from it.
  if (focused !== document.activeElement && focused instanceof HTMLElement) focused.focus();
}

const fold = makeFold();

function makeFold(): Readonly<Record<"details" | "head" | "list", HTMLElement>> {
  const [head, list] = [element("summary", {}), element("div", {})];
  return { details: element("details", { class: "older" }, head, list), head, list };
}

/** Leaves alone what stands there already. */
function place(list: HTMLElement, wanted: readonly HTMLElement[]): void {
  const isAsBefore = wanted.every((one, index) => list.children[index] === one);
  if (!isAsBefore || list.children.length !== wanted.length) list.replaceChildren(...wanted);
}

function detailsOf(denial: Denial): HTMLElement {
  const known = shown.get(denial.summary) ?? make(denial);
  shown.set(denial.summary, known);
  const text = `${denial.times === 1 ? "once" : `${denial.times} times`}, last at ${timeOf(denial)}`;
  if (known.times.textContent !== text) known.times.textContent = text;
  return known.details;
}

function make({ summary, explanation }: Denial): {
  readonly details: HTMLElement;
  readonly times: HTMLElement;
} {
  const times = element("span", { class: "times" });
  const head = element("summary", {}, summary, element("br", {}), times);
  const details = element("details", {}, head, element("pre", {}, explanation.join("\n")));
  return { details, times };
}

function timeOf({ lastTime }: Denial): string {
  return new Date(lastTime).toLocaleTimeString();
}
