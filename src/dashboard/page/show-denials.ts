/** What was refused, each with why; those that are open stay open. */
import type { DenialsView } from "../views.ts";
import { byId, element } from "./elements.ts";

type Denial = DenialsView["denials"][number];

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
  const isAsBefore = wanted.every((one, index) => list.children[index] === one);
  // Moving an element takes the focus from it.
  if (!isAsBefore || list.children.length !== wanted.length) placeAll(list, wanted);
}

function placeAll(list: HTMLElement, wanted: readonly HTMLElement[]): void {
  const focused = document.activeElement;
  list.replaceChildren(...wanted);
  if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
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
