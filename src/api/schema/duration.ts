/** Durations as Istio's users write them: Go's `1h30m`, `5s`, `250ms`. */
import { DURATION } from "./rules.ts";
import { type TextSchema, text } from "./schema.ts";

export const duration: TextSchema = text({ rules: [DURATION] });
