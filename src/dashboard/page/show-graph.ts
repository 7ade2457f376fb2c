/** The graph of services, drawn, and as a table. */
import { labelOf, lookOf, safetyOf } from "../edge-look.ts";
import { layOutGraph, NODE_WIDTH, type PlacedEdge, type PlacedNode } from "../graph-layout.ts";
import type { EdgeView, GraphView, ServiceView } from "../views.ts";
import { bodyOf, byId, cell, element, emptyRow } from "./elements.ts";

const SVG = "http://www.w3.org/2000/svg";
const LONGEST_NAME = 18;
/** Of the drawing's own size: what is smaller is no longer read, so that its box scrolls instead. */
const SMALLEST = 0.75;

export function showGraph(view: GraphView): void {
  byId("window").textContent = String(view.windowMinutes);
  byId("graph").replaceChildren(
    view.edges.length === 0 ? element("p", { class: "empty" }, "No calls yet.") : drawing(view),
  );
  const rows = view.edges.map(edgeRow);
  bodyOf("edges").replaceChildren(...(rows.length === 0 ? [emptyRow(6, "No calls yet.")] : rows));
}

function edgeRow(edge: EdgeView): HTMLElement {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, edge.from),
    cell("Called", edge.to),
    cell("Mutual TLS", `${edge.mutualTlsPercent} %`, safetyOf(edge)),
    cell("Calls", String(edge.calls), "figure"),
    cell("In plaintext", String(edge.plaintext), "figure"),
    cell("Refused", String(edge.refused), "figure"),
  );
}

function drawing(view: GraphView): Element {
  const { width, height, nodes, edges } = layOutGraph(view);
  const services = new Map(view.services.map((service) => [service.name, service]));
  const label = `Graph of ${nodes.length} services and ${edges.length} kinds of calls; the table below says the same`;
  const svg = shape("svg", {
    viewBox: `0 0 ${width} ${height}`,
    width: String(width),
    height: String(height),
    role: "img",
    "aria-label": label,
  });
  svg.style.minWidth = `${Math.round(width * SMALLEST)}px`;
  svg.append(
    ...edges.map(({ edge, path }) => shape("path", { d: path, class: `edge ${lookOf(edge)}` })),
    ...edges.map(tipOf),
    ...nodes.flatMap((node) => nodeShapes(node, services.get(node.name))),
    ...edges.map(shareOf),
  );
  return svg;
}

/** A point where it arrives, or a bar across it where nothing did. */
function tipOf({ edge, tip, bend }: PlacedEdge): Element {
  const look = lookOf(edge);
  const d =
    look === "refused"
      ? `M ${bend.x} ${bend.y - 6} l 0 12`
      : `M ${tip.x} ${tip.y} l -9 -5 l 0 10 z`;
  return shape("path", { d, class: `tip ${look}` });
}

function shareOf({ edge, label }: PlacedEdge): Element {
  const made = shape("text", {
    x: String(label.x),
    y: String(label.y),
    class: `share ${lookOf(edge)}`,
  });
  made.textContent = labelOf(edge);
  return made;
}

function nodeShapes(
  { name, x, y, height }: PlacedNode,
  service: ServiceView | undefined,
): Element[] {
  const [namespace = "", own] = name.includes("/") ? name.split("/", 2) : ["", name];
  const bare = service?.sidecar === "all" ? "" : " bare";
  const box = shape("rect", {
    x: String(x),
    y: String(y),
    width: String(NODE_WIDTH),
    height: String(height),
    rx: "6",
    class: `node${bare}`,
  });
  const title = shape("title", {});
  title.textContent = name;
  box.append(title);
  const below = service?.sidecar === "none" ? `${namespace}, no sidecar` : namespace;
  return [
    box,
    ...line(shortened(own ?? ""), {
      x: x + 12,
      y: y + (below === "" ? 27 : 19),
      className: "name",
    }),
    ...line(below, { x: x + 12, y: y + 35, className: "namespace" }),
  ];
}

function line(
  text: string,
  { x, y, className }: { readonly x: number; readonly y: number; readonly className: string },
): Element[] {
  if (text === "") return [];
  const made = shape("text", { x: String(x), y: String(y), class: className });
  made.textContent = text;
  return [made];
}

function shortened(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - 1)}…`;
}

function shape(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
