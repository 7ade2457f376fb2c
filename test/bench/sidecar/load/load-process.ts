/** A process that makes one load, so that neither the proxies' time nor this benchmark's is spent on it. */

import { callGrpc } from "./grpc-calls.ts";
import { shakeHands } from "./handshakes.ts";
import type { FromLoad, LoadOrder, LoadWork, ToLoad } from "./load-messages.ts";
import { sendWhenDue } from "./open-loop.ts";
import { receiveTcp } from "./tcp-receiver.ts";

let work: LoadWork | undefined;

process.on("message", (message: ToLoad) => {
  if (message.kind === "begin") {
    work?.begin();
    tell({ kind: "begun" });
  } else if (message.kind === "end") {
    if (work !== undefined) tell({ kind: "ended", result: work.end() });
    process.disconnect();
    setImmediate(() => process.exit());
  } else {
    work = start(message);
    tell({ kind: "running" });
  }
});
process.on("disconnect", () => process.exit());

function start(order: LoadOrder): LoadWork {
  switch (order.kind) {
    case "open loop":
      return sendWhenDue(order);
    case "handshakes":
      return shakeHands(order);
    case "grpc":
      return callGrpc(order);
    case "tcp":
      return receiveTcp(order);
  }
}

function tell(message: FromLoad): void {
  process.send?.(message);
}
