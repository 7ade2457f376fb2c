/** Keeps the key sets that the resources name, by what the mesh configuration allows. */

import { keyAddressProblem } from "../../api/key-address-rules.ts";
import type { Resource } from "../../api/resource.ts";
import { allowedRanges } from "../../api/token-key-settings.ts";
import { keyHosts } from "../../policy/key-hosts.ts";
import { meshSettingsOf } from "../../policy/mesh-snapshot.ts";
import { wantedKeySets } from "../../policy/token-key-source.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Watched } from "../../runtime/watched.ts";
import { type WayOutSettings, wayOut } from "../way-out.ts";
import { fetchDocument } from "./fetch-document.ts";
import { findKeySet } from "./find-key-set.ts";
import type { KeySetFacts } from "./key-set-facts.ts";
import { KeySetMemory } from "./key-set-memory.ts";
import { KeySets, type KnownKeySets } from "./key-sets.ts";

export interface TokenKeys {
  readonly keys: Watched<KnownKeySets>;
  facts(names: readonly string[]): readonly KeySetFacts[];
  close(): Promise<void>;
}

export async function followTokenKeys(
  resources: Watched<readonly Resource[]>,
  {
    dataDirectory,
    outside,
    clock,
    log,
  }: {
    readonly dataDirectory: string;
    /** Absent: this machine's own network. */
    readonly outside?: WayOutSettings | undefined;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<TokenKeys> {
  const way = wayOut(outside);
  const memory = new KeySetMemory(dataDirectory, log);
  const keySets = new KeySets({
    find: (source, timeoutMs) => {
      const { tokenKeys } = meshSettingsOf(resources.current);
      const allowed = allowedRanges(tokenKeys);
      const findHost = keyHosts(resources.current, source);
      return findKeySet(source, (uri) =>
        fetchDocument(uri, {
          timeoutMs,
          addressProblem: (address) => keyAddressProblem(address, allowed),
          findHost,
          way,
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
    facts: (names) => keySets.facts(names),
    async close() {
      stop();
      keySets.close();
      await memory.close();
    },
  };
}
