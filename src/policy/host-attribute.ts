/** The host of a request, as rules ask about it (AP-52). */
import { compileStringMatches, foldAscii, type StringMatchOptions } from "../api/string-match.ts";
import { withoutClosingDots } from "./closing-dots.ts";
import { stringPatterns } from "./text-lookup.ts";
import { ofText, type TrafficAttribute } from "./traffic-attribute.ts";

const HOST_MATCH: StringMatchOptions = { star: "present", letterCase: "insensitive" };

const AS_WRITTEN: TrafficAttribute = ofText(
  { name: "host", layer: "http", read: ({ authority }) => authority },
  HOST_MATCH,
);

/**
 * Its port belongs to it, as with Envoy. Applications take `a.com.` for `a.com`: where a match keeps out, either is enough,
 * and where it lets in, the host must be as it is written.
 */
export const HOST: TrafficAttribute = {
  ...AS_WRITTEN,
  keepingOut: {
    ...AS_WRITTEN,
    compile(values) {
      const matches = compileStringMatches(values, HOST_MATCH);
      return ({ authority }) => {
        if (authority === undefined) return false;
        if (matches(authority)) return true;
        const settled = withoutClosingDots(authority);
        return settled !== authority && matches(settled);
      };
    },
    lookup: {
      name: "host, with or without closing dots",
      read({ authority }) {
        if (authority === undefined) return undefined;
        const settled = withoutClosingDots(authority);
        return settled === authority
          ? foldAscii(authority)
          : [foldAscii(authority), foldAscii(settled)];
      },
      patterns: (values) => stringPatterns(values, HOST_MATCH),
    },
  },
};
