/** Pods whose callers are taken alike, but for where each pod is: what the kernel leads to a proxy is the same for all of them. */
import type { Inbound } from "../../policy/workload-view.ts";
import { remembered } from "../remembered.ts";

const known = new Map<string, WeakRef<object>>();
const forgotten = new FinalizationRegistry<string>((key) => {
  if (known.get(key)?.deref() === undefined) known.delete(key);
});

/** @returns the same object for all that are equal apart from their addresses and their policies */
export const alikeInbound: (inbound: Inbound) => object = remembered(
  ({ authorization: _, ports, ...rest }) => {
    const told = ports.map(({ listen: _where, application, ...port }) => ({
      ...port,
      application: application.port,
    }));
    const key = JSON.stringify([told, rest]);
    const found = known.get(key)?.deref();
    if (found !== undefined) return found;
    const alike = {};
    known.set(key, new WeakRef(alike));
    forgotten.register(alike, key);
    return alike;
  },
);
