/** Durations as Istio's users write them: Go's `1h30m`, `5s`, `250ms`. */
import { DURATION } from "./rules.ts";
import { type TextSchema, text } from "./schema.ts";

const MEANING = 'a duration such as "5s"';

export const duration: TextSchema = text({ rules: [DURATION], meaning: MEANING });

/** How long it may be is another check's matter. */
export const anyDuration: TextSchema = text({ meaning: MEANING });
