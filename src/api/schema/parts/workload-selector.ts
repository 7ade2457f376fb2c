/** Which workloads a resource is for: `matchLabels` in most kinds, `labels` in the older ones of networking. */
import { NO_WILDCARD, NOT_EMPTY } from "../rules.ts";
import { mapOf, type ObjectSchema, object, text } from "../schema.ts";

export const workloadSelector: ObjectSchema = object(
  {
    matchLabels: mapOf(text({ maxLength: 63, rules: [NO_WILDCARD] }), {
      maxProperties: 4096,
      keys: [NOT_EMPTY, NO_WILDCARD],
    }),
  },
  { advice: "labels stand under matchLabels" },
);

export const networkingSelector: ObjectSchema = object(
  { labels: mapOf(text({ maxLength: 63, rules: [NO_WILDCARD] }), { maxProperties: 256 }) },
  { advice: "labels stand under labels" },
);
