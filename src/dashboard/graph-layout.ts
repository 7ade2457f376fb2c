/**
 * Where the services of a graph stand: callers to the left of those they call. Each call leaves its caller at a height of its
 * own and goes straight on below its text, so that no text covers another. Pure, so that the page only draws.
 */
import type { EdgeView, GraphView } from "./views.ts";

/** All in pixels. */
export const NODE_WIDTH = 168;
const NODE_HEIGHT = 44;
/** Between calls that leave the same service. */
const SLOT = 20;
/** As long as the longest text. */
const STRAIGHT = 128;
const COLUMN_GAP = STRAIGHT + 80;
const ROW_GAP = 22;
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
  /** Where its text begins. */
  readonly label: { readonly x: number; readonly y: number };
}

export function layOutGraph({ services, edges }: GraphView): GraphLayout {
  const called = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const names = services.map(({ name }) => name).filter((name) => called.has(name));
  const columns = columnsOf(names, edges);
  const heightOf = (name: string): number =>
    Math.max(NODE_HEIGHT, 8 + SLOT * edges.filter(({ from }) => from === name).length);
  const heights = columns.map((column) =>
    column.reduce((sum, name) => sum + heightOf(name) + ROW_GAP, -ROW_GAP),
  );
  const tallest = Math.max(NODE_HEIGHT, ...heights);
  const nodes = columns.flatMap((column, index) => {
    let y = MARGIN + (tallest - (heights[index] ?? 0)) / 2;
    return column.map((name): PlacedNode => {
      const height = heightOf(name);
      const node = { name, x: MARGIN + index * (NODE_WIDTH + COLUMN_GAP), y, height };
      y += height + ROW_GAP;
      return node;
    });
  });
  return {
    width: 2 * MARGIN + Math.max(1, columns.length) * (NODE_WIDTH + COLUMN_GAP) - COLUMN_GAP,
    height: 2 * MARGIN + tallest,
    nodes,
    edges: placeEdges(edges, new Map(nodes.map((node) => [node.name, node]))),
  };
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

function placeEdges(
  edges: readonly EdgeView[],
  nodes: ReadonlyMap<string, PlacedNode>,
): readonly PlacedEdge[] {
  return [...nodes.values()].flatMap((from) => {
    const leaving = edges.flatMap((edge) => {
      const to = edge.from === from.name ? nodes.get(edge.to) : undefined;
      return to === undefined ? [] : [{ edge, to }];
    });
    leaving.sort((a, b) => a.to.y - b.to.y);
    const first = from.y + from.height / 2 - ((leaving.length - 1) * SLOT) / 2;
    return leaving.map(({ edge, to }, slot) =>
      placeEdge(edge, { x: from.x + NODE_WIDTH, y: first + slot * SLOT, to }),
    );
  });
}

function placeEdge(
  edge: EdgeView,
  { x, y, to }: { readonly x: number; readonly y: number; readonly to: PlacedNode },
): PlacedEdge {
  const tip = { x: to.x, y: to.y + to.height / 2 };
  const bent = x + STRAIGHT;
  const curve = `C ${bent + 40} ${y}, ${tip.x - 40} ${tip.y}, ${tip.x} ${tip.y}`;
  return {
    edge,
    path: `M ${x} ${y} L ${bent} ${y} ${curve}`,
    tip,
    label: { x: x + 6, y: y - 4 },
  };
}
