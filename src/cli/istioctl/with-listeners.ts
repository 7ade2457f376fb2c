/** An Envoy's dump with listeners as they are written for people: with the rules of policies where Istio has them. */
import { dumpPart } from "../../envoy/config-dump.ts";
import { type EnvoyListener, typeUrl } from "../../envoy/envoy-json.ts";

const PART = "ListenersConfigDump";
const LISTENER = typeUrl("envoy.config.listener.v3.Listener");

interface DynamicListener {
  readonly name?: string;
  readonly activeState?: { readonly listener?: object; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/**
 * @param dump what Envoy's `/config_dump` answers
 * @param listeners take the place of those of the same name that Envoy has; what Envoy has not is not added
 */
export function withListeners(
  dump: { readonly configs: readonly object[] },
  listeners: readonly EnvoyListener[],
): object {
  const part = dumpPart(dump, PART);
  if (part === undefined) return dump;
  const written = new Map(listeners.map((one) => [one.name, one]));
  const dynamicListeners = ((part["dynamicListeners"] ?? []) as readonly DynamicListener[]).map(
    (one) => {
      const own = written.get(one.name ?? "");
      return own === undefined || one.activeState === undefined
        ? one
        : { ...one, activeState: { ...one.activeState, listener: { "@type": LISTENER, ...own } } };
    },
  );
  const isListeners = (config: object): boolean =>
    String(Object(config)["@type"]).endsWith(`.${PART}`);
  return {
    ...dump,
    configs: dump.configs.map((one) => (isListeners(one) ? { ...part, dynamicListeners } : one)),
  };
}
