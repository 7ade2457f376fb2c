/** Opens the authorities of a mesh at the start of its control plane, with the folder of a custom one where there is one. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { type OpenedAuthorityRing, openAuthorityRing } from "../ca/authority-ring.ts";
import type { PluggedAuthority } from "../ca/plugged-authority.ts";
import { awaitsPluggedFiles } from "../ca/plugged-authority-files.ts";
import { readPluggedAuthority } from "../ca/read-plugged-authority.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { Log } from "../runtime/log.ts";
import { announcedLog } from "./announced-log.ts";

/** What is there once the authorities of a mesh are, in this layout or the first one. */
const SIGNS_OF_AUTHORITIES = ["ledger.json", "ca-key.pem"];

export interface AuthoritiesToOpen {
  readonly dataDirectory: string;
  readonly trustDomain: string;
  readonly selfSignedLifetimeMs: number;
  /** Folder of a custom authority. */
  readonly cacerts?: string | undefined;
  /** Hears in one line what whoever runs the mesh should. */
  readonly announce?: ((line: string) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OpenedAuthorities {
  readonly ring: OpenedAuthorityRing;
  /** Of the folder. */
  readonly custom?: PluggedAuthority | undefined;
}

/**
 * A custom authority is the active one where there is none yet (CA-44). Where there is, it has to be prepared; and a bad
 * one keeps nothing from starting.
 *
 * @throws AuthorityRefusedError, KeyDirectoryError, PluggedAuthorityError
 */
export async function openAuthorities(options: AuthoritiesToOpen): Promise<OpenedAuthorities> {
  const { dataDirectory: directory, trustDomain, clock, log } = options;
  const custom = await readCustom(options);
  const ring = await openAuthorityRing({
    directory,
    trustDomain,
    clock,
    lifetimeMs: options.selfSignedLifetimeMs,
    ...(custom && { plugged: custom }),
  });
  const loud = announcedLog(log, options.announce ?? (() => {}));
  for (const notice of ring.notices) loud.error(notice);
  return { ring, custom };
}

async function readCustom(options: AuthoritiesToOpen): Promise<PluggedAuthority | undefined> {
  const { cacerts, dataDirectory, clock, log } = options;
  if (cacerts === undefined) return undefined;
  if (await awaitsPluggedFiles(cacerts)) {
    log.warn("the folder of the custom authority is empty; it is adopted once it is there", {
      directory: cacerts,
    });
    return undefined;
  }
  try {
    return await readPluggedAuthority(cacerts, { now: clock.now() });
  } catch (error) {
    if (!(await hasAuthorities(join(dataDirectory, "ca")))) throw error;
    log.error("the custom authority is refused; those that are held stay", {
      directory: cacerts,
      problem: describeError(error),
    });
    return undefined;
  }
}

async function hasAuthorities(folder: string): Promise<boolean> {
  const found = await Promise.allSettled(
    SIGNS_OF_AUTHORITIES.map((name) => access(join(folder, name))),
  );
  return found.some(({ status }) => status === "fulfilled");
}
