/** All attacks that are bytes of HTTP/1. Those borne by HTTP/2 are in `http2-cases.ts`. */
import type { SmugglingCase } from "../smuggling-case.ts";
import { BODIES_IGNORED } from "./bodies-ignored.ts";
import { CHUNKS } from "./chunks.ts";
import { CODINGS } from "./codings.ts";
import { CONNECTIONS } from "./connections.ts";
import { FIELDS } from "./fields.ts";
import { LENGTH_AND_CODING } from "./length-and-coding.ts";
import { TARGETS } from "./targets.ts";

export const CORPUS: readonly SmugglingCase[] = [
  ...LENGTH_AND_CODING,
  ...CODINGS,
  ...BODIES_IGNORED,
  ...CHUNKS,
  ...FIELDS,
  ...TARGETS,
  ...CONNECTIONS,
];
