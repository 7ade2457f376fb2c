/** Keeps the key sets that the resources name, by what the mesh configuration allows. */
import type { Resource } from "../../api/resource.ts";
import { allowedRanges } from "../../api/token-key-settings.ts";
import { meshSettingsOf } from "../../policy/mesh-snapshot.ts";
import { wantedKeySets } from "../../policy/token-key-source.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";
import { fetchDocument } from "./fetch-document.ts";
import { findKeySet } from "./find-key-set.ts";
import { keyAddressProblem } from "./key-address-rules.ts";
import { KeySetMemory } from "./key-set-memory.ts";
import { KeySets, type KnownKeySets } from "./key-sets.ts";

export interface TokenKeys {
  readonly keys: Watched<KnownKeySets>;
  close(): Promise<void>;
}

export async function followTokenKeys(
  resources: Watched<readonly Resource[]>,
  {
    dataDirectory,
    clock,
    log,
  }: { readonly dataDirectory: string; readonly clock: Clock; readonly log: Log },
): Promise<TokenKeys> {
  const memory = new KeySetMemory(dataDirectory, log);
  const keySets = new KeySets({
    find: (source, timeoutMs) => {
      const { tokenKeys } = meshSettingsOf(resources.current);
      const allowed = allowedRanges(tokenKeys);
      return findKeySet(source, (uri) =>
        fetchDocument(uri, {
          timeoutMs,
          addressProblem: (address) => keyAddressProblem(address, allowed),
          extraRootsPem: tokenKeys.authoritiesPem,
        }),
      );
    },
    clock,
    random: Math.random,
    log,
    kept: await memory.recall(),
  });
  keySets.states.onChange((states) => memory.remember(states));
  keySets.want(wantedKeySets(resources.current));
  const stop = resources.onChange((changed) => keySets.want(wantedKeySets(changed)));
  return {
    keys: keySets.keys,
    async close() {
      stop();
      keySets.close();
      await memory.close();
    },
  };
}
