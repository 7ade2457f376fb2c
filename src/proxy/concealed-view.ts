/** A view that people may look at: what lets its holder in somewhere is left out. */
import type { SideTracing, WorkloadView } from "../policy/workload-view.ts";

const CONCEALED = "(not shown)";

/** Without the values of the headers by which a collector of spans knows who sends. */
export function concealedView(view: WorkloadView): WorkloadView {
  const { telemetry } = view;
  if (telemetry?.tracing === undefined) return view;
  const { inbound, outbound, operations } = telemetry.tracing;
  const tracing = {
    ...(inbound && { inbound: concealed(inbound) }),
    ...(outbound && { outbound: concealed(outbound) }),
    operations,
  };
  return { ...view, telemetry: { ...telemetry, tracing } };
}

function concealed(side: SideTracing): SideTracing {
  const { collector } = side;
  const names = Object.keys(collector.headers);
  const headers = Object.fromEntries(names.map((name) => [name, CONCEALED]));
  return { ...side, collector: { ...collector, headers } };
}
