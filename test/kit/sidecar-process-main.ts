/** The other half of `SidecarProcess`: serves as it is told, and keeps nothing that would count as its memory. */
import { once } from "node:events";
import { startTestSidecar, workloadView } from "./sidecar-fixture.ts";
import type { SidecarOrder } from "./sidecar-process.ts";

const [order] = (await once(process, "message")) as [SidecarOrder];
const { rootPem, svid, ports } = order;
const view = workloadView({ rootsPem: [rootPem], ports });
await startTestSidecar({ view, svid, keep: "nothing" });
process.once("disconnect", () => process.exit());
process.send?.("serving");
