/** What is made of users' tokens. */
import { type Defect, settings, spoiled, without } from "./defect.ts";

export const TOKEN_DEFECTS: readonly Defect[] = [
  {
    name: "bad tokens are let through",
    spoil: spoiled((value) => {
      const { allowMissing, ...rest } = value;
      return allowMissing === undefined ? value : { ...rest, allowMissingOrFailed: allowMissing };
    }),
  },
  {
    name: "claims are not kept for the rules",
    spoil: spoiled((value) => without(value, "payloadInMetadata")),
  },
  {
    name: "claims that are lists in one text stay one text",
    spoil: spoiled((value) => without(value, "normalizePayloadInMetadata")),
  },
  {
    name: "tokens are not verified at all",
    spoil: settings("JwtAuthentication", (config) => without(config, "rules", "requirementMap")),
  },
];
