/** The gateway process: waits for its instructions on the inherited pipe, serves until asked to stop. */
import type {
  GatewayInstruction,
  GatewayReport,
  GatewayStart,
} from "../../policy/gateway-messages.ts";
import { Gateway } from "../../proxy/gateway.ts";
import { systemClock } from "../../runtime/clock.ts";
import { createDeferred } from "../../runtime/deferred.ts";
import { describeError } from "../../runtime/hauberk-error.ts";
import { originalDestination, requireLinuxSockets } from "../../runtime/linux-socket.ts";
import { openInheritedPipe } from "../inherited-pipe.ts";
import { openProcessLogs } from "../process-logs.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

export async function gatewayCommand(): Promise<number> {
  const signal = stopSignal();
  const endAtOnce = (): never => process.exit(0);
  signal.addEventListener("abort", endAtOnce);
  const { log } = openProcessLogs(systemClock);
  const started = createDeferred<GatewayStart>();
  let newest: GatewayInstruction | undefined;
  let gateway: Gateway | undefined;
  const pipe = openInheritedPipe<GatewayInstruction, GatewayReport>(
    (instruction) => {
      newest = instruction;
      gateway?.setDestinations(instruction.destinations);
      if (instruction.type === "start") started.resolve(instruction);
    },
    () => log.warn("the supervisor is gone; the gateway keeps serving"),
  );
  try {
    const start = await started.promise;
    requireLinuxSockets();
    gateway = await Gateway.open({ ...start, originalDestination, random: Math.random, log });
    gateway.setDestinations((newest ?? start).destinations);
    signal.removeEventListener("abort", endAtOnce);
    pipe.send({ type: "ready" });
    await aborted(signal);
    await gateway.close();
    return 0;
  } catch (error) {
    log.error("the gateway did not start", { problem: describeError(error) });
    pipe.send({ type: "failed", problem: describeError(error) });
    return 1;
  } finally {
    pipe.close();
  }
}
