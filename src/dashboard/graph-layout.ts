/**
 * Where the services of a graph stand: callers to the left of those they call. Each call leaves its caller at a height of its
 * own and goes straight on below its text, so that no text covers another. Pure, so that the page only draws.
 */
import type { EdgeView, GraphView } from "./views.ts";

/** All in pixels. */
export const NODE_WIDTH = 144;
const NODE_HEIGHT = 44;
/** Between calls that leave the same service. */
const SLOT = 20;
/** As long as the longest text of a call of some hundreds. */
const STRAIGHT = 176;
const COLUMN_GAP = STRAIGHT + 44;
const ROW_GAP = 22;
/** Of the free way past the services of a column. */
const PASSING_HEIGHT = 8;
const MARGIN = 16;

export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export interface PlacedNode {
  readonly name: string;
  /** Of the left upper corner. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly edge: EdgeView;
  /** Of an SVG path, from the caller's right side to the left of what is called. */
  readonly path: string;
  /** Where its tip touches. */
  readonly tip: { readonly x: number; readonly y: number };
  /** Where it bends to its tip: until there nothing else is where it is. */
  readonly bend: { readonly x: number; readonly y: number };
  /** Where its text begins. */
  readonly label: { readonly x: number; readonly y: number };
}

export function layOutGraph({ services, edges }: GraphView): GraphLayout {
  const called = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const names = services.map(({ name }) => name).filter((name) => called.has(name));
  const columns = columnsOf(names, edges);
  const items = placeColumns(columns, edges);
  const nodes = items.flatMap(({ name, x, y, height }) =>
    name === undefined ? [] : [{ name, x, y, height }],
  );
  return {
    width: 2 * MARGIN + Math.max(1, columns.length) * (NODE_WIDTH + COLUMN_GAP) - COLUMN_GAP,
    height:
      2 * MARGIN + Math.max(NODE_HEIGHT, ...items.map(({ y, height }) => y + height - MARGIN)),
    nodes,
    edges: placeEdges(edges, items),
  };
}

/** A service, or the place that a call keeps free in a column that it only passes. */
interface Item {
  readonly name?: string;
  readonly passing?: EdgeView;
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

function placeColumns(
  columns: readonly (readonly string[])[],
  edges: readonly EdgeView[],
): readonly Item[] {
  const depths = new Map(columns.flatMap((names, index) => names.map((name) => [name, index])));
  const depthOf = (name: string): number => depths.get(name) ?? 0;
  const items = columns.map((names, index): Omit<Item, "x" | "y">[] => [
    ...names.map((name) => ({
      name,
      height: Math.max(NODE_HEIGHT, 8 + SLOT * edges.filter(({ from }) => from === name).length),
    })),
    ...edges
      .filter(({ from, to }) => depthOf(from) < index && index < depthOf(to))
      .map((passing) => ({ passing, height: PASSING_HEIGHT })),
  ]);
  const heights = items.map((column) =>
    column.reduce((sum, { height }) => sum + height + ROW_GAP, -ROW_GAP),
  );
  const tallest = Math.max(NODE_HEIGHT, ...heights);
  const placed: Item[] = [];
  for (const [index, column] of items.entries()) {
    let y = MARGIN + (tallest - (heights[index] ?? 0)) / 2;
    const x = MARGIN + index * (NODE_WIDTH + COLUMN_GAP);
    const ranked = column.map((item) => ({ item, rank: meanHeight(item, { placed, edges }) }));
    for (const { item } of ranked.sort((a, b) => a.rank - b.rank)) {
      placed.push({ ...item, x, y });
      y += item.height + ROW_GAP;
    }
  }
  return placed;
}

/** Where the callers stand: who is called from above stands above, so that few calls cross. */
function meanHeight(
  { name, passing }: Omit<Item, "x" | "y">,
  { placed, edges }: { readonly placed: readonly Item[]; readonly edges: readonly EdgeView[] },
): number {
  const arriving = passing === undefined ? edges.filter(({ to }) => to === name) : [passing];
  const before = arriving.flatMap((edge) => {
    const last = placed.findLast((one) => one.passing === edge || one.name === edge.from);
    return last === undefined ? [] : [last.y + last.height / 2];
  });
  return before.length === 0 ? 0 : before.reduce((sum, y) => sum + y, 0) / before.length;
}

/** Each service one column to the right of its callers; among services that call each other in a circle, the first wins. */
function columnsOf(names: readonly string[], edges: readonly EdgeView[]): readonly string[][] {
  const depths = new Map<string, number>();
  const depthOf = (name: string, open: ReadonlySet<string>): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const within = new Set([...open, name]);
    const callers = edges.filter(({ from, to }) => to === name && !within.has(from));
    const depth = Math.max(-1, ...callers.map(({ from }) => depthOf(from, within))) + 1;
    depths.set(name, depth);
    return depth;
  };
  const columns: string[][] = [];
  for (const name of names) {
    const depth = depthOf(name, new Set());
    while (columns.length <= depth) columns.push([]);
    columns[depth]?.push(name);
  }
  return columns;
}

function placeEdges(edges: readonly EdgeView[], items: readonly Item[]): readonly PlacedEdge[] {
  const nodes = new Map(
    items.flatMap((item) => (item.name === undefined ? [] : [[item.name, item]])),
  );
  return [...nodes].flatMap(([name, from]) => {
    const leaving = edges.flatMap((edge) => {
      const to = edge.from === name ? nodes.get(edge.to) : undefined;
      const passed = items.filter(({ passing }) => passing === edge);
      return to === undefined ? [] : [{ edge, ways: [...passed, to] }];
    });
    leaving.sort((a, b) => (a.ways[0]?.y ?? 0) - (b.ways[0]?.y ?? 0));
    const first = from.y + from.height / 2 - ((leaving.length - 1) * SLOT) / 2;
    return leaving.map(({ edge, ways }, slot) =>
      placeEdge(edge, { x: from.x + NODE_WIDTH, y: first + slot * SLOT, ways }),
    );
  });
}

/** @param ways what it passes, and last what it leads to */
function placeEdge(
  edge: EdgeView,
  { x, y, ways }: { readonly x: number; readonly y: number; readonly ways: readonly Item[] },
): PlacedEdge {
  let path = `M ${x} ${y}`;
  let [atX, atY] = [x, y];
  let bend = { x, y };
  for (const way of ways) {
    const bent = atX + STRAIGHT;
    const middle = way.y + way.height / 2;
    bend = { x: bent, y: atY };
    path += ` H ${bent} C ${bent + 24} ${atY}, ${way.x - 24} ${middle}, ${way.x} ${middle}`;
    [atX, atY] = [way.x + NODE_WIDTH, middle];
  }
  const last = ways.at(-1);
  return { edge, path, tip: { x: last?.x ?? x, y: atY }, bend, label: { x: x + 6, y: y - 4 } };
}
