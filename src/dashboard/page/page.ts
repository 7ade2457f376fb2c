/** The page's script: asks the JSON views again and again, and shows what they say. */
import type { DenialsView, GraphView, WorkloadsView } from "../views.ts";
import { byId } from "./elements.ts";
import { showDenials } from "./show-denials.ts";
import { showGraph } from "./show-graph.ts";
import { showWorkloads } from "./show-workloads.ts";

const AGAIN_MS = 2_000;

const shown = new Map<string, string>();

/** What says the same as before is left alone: whoever reads it, or has the focus in it, is not disturbed. */
async function refresh<View>(path: string, show: (view: View) => void): Promise<void> {
  const answer = await fetch(path, { signal: AbortSignal.timeout(10_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(problemIn(text));
  if (shown.get(path) === text) return;
  show(JSON.parse(text) as View);
  shown.set(path, text);
}

function problemIn(text: string): string {
  try {
    const { problem } = JSON.parse(text) as { problem?: string };
    return problem ?? text;
  } catch {
    return text;
  }
}

async function refreshAll(): Promise<void> {
  try {
    await Promise.all([
      refresh<GraphView>("/api/graph", showGraph),
      refresh<WorkloadsView>("/api/workloads", showWorkloads),
      refresh<DenialsView>("/api/denials", showDenials),
    ]);
    say("Up to date", "");
  } catch (error) {
    const problem = error instanceof TypeError ? "the dashboard has ended" : String(error);
    say(`Not up to date: ${problem.replace(/^\w*Error: /, "").trim()}`, "lost");
  }
}

/** A status is read out when it changes. */
function say(text: string, className: string): void {
  const state = byId("state");
  if (state.textContent !== text) state.textContent = text;
  state.className = className;
}

async function goOn(): Promise<never> {
  for (;;) {
    if (!document.hidden) await refreshAll();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

void goOn();
