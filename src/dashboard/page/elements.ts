/** Making and finding elements. Texts are always texts: nothing of a mesh is read as HTML. */

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/** The rows of a table that has its heads already. */
export function bodyOf(tableId: string): Element {
  const body = byId(tableId).querySelector("tbody");
  if (body === null) throw new Error(`${tableId} is no table`);
  return body;
}

export function element(
  name: keyof HTMLElementTagNameMap,
  attributes: Readonly<Record<string, string>>,
  ...content: readonly (string | Node)[]
): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

/** A cell that names what it holds where the table's heads have no room. */
export function cell(what: string, content: string | Node, className = ""): HTMLElement {
  return element("td", { "data-what": what, ...(className && { class: className }) }, content);
}

export function emptyRow(columns: number, text: string): HTMLElement {
  return element("tr", {}, element("td", { colspan: String(columns), class: "empty" }, text));
}
