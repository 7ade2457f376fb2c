/** In which form a path is judged and goes on (AP-100..AP-106), as istiod tells Envoy. */
import type { PathNormalization } from "../../api/mesh-settings.ts";

export interface EnvoyPathNormalization {
  readonly normalizePath: boolean;
  readonly mergeSlashes?: true;
  readonly pathWithEscapedSlashesAction: "KEEP_UNCHANGED" | "UNESCAPE_AND_FORWARD";
}

const BASE: EnvoyPathNormalization = {
  normalizePath: true,
  pathWithEscapedSlashesAction: "KEEP_UNCHANGED",
};

export const PATH_NORMALIZATION: Readonly<Record<PathNormalization, EnvoyPathNormalization>> = {
  DEFAULT: BASE,
  NONE: { ...BASE, normalizePath: false },
  BASE,
  MERGE_SLASHES: { ...BASE, mergeSlashes: true },
  DECODE_AND_MERGE_SLASHES: {
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: "UNESCAPE_AND_FORWARD",
  },
};
