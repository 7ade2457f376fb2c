/** Why bytes are not taken for a message: each problem with the status it is answered with, a stable code, and words. */

export interface Http1Problem {
  /** For a request; a response at fault is answered with 502. */
  readonly status: 400 | 414 | 431 | 501 | 505;
  /** For logs and metrics (`details`): may be relied on. */
  readonly code: `http1.${string}`;
  /** What is wrong, without what was sent: that is the stranger's. */
  readonly words: string;
}

/** By short name; the rule or section it holds stands beside it in `http1-refusals.test.ts`. */
export const PROBLEM = {
  none: { status: 400, code: "http1.none", words: "nothing is wrong" },
  // The form of lines.
  bareLineFeed: {
    status: 400,
    code: "http1.bare_line_feed",
    words: "a line feed without a carriage return",
  },
  bareCarriageReturn: {
    status: 400,
    code: "http1.bare_carriage_return",
    words: "a carriage return inside a line",
  },
  blankLines: {
    status: 400,
    code: "http1.blank_lines",
    words: "more than one blank line before a request",
  },
  headTooLarge: {
    status: 431,
    code: "http1.head_too_large",
    words: "the head is longer than 64 KiB",
  },
  requestLineTooLong: {
    status: 414,
    code: "http1.request_line_too_long",
    words: "the request line is too long",
  },
  // The start line.
  invalidMethod: {
    status: 400,
    code: "http1.invalid_method",
    words: "the method is no upper-case word",
  },
  invalidTarget: {
    status: 400,
    code: "http1.invalid_target",
    words: "a byte that no request target may hold",
  },
  fragment: {
    status: 400,
    code: "http1.fragment_in_target",
    words: "the request target has a fragment",
  },
  targetForm: {
    status: 400,
    code: "http1.target_form",
    words: "the request target has no form that its method allows",
  },
  noVersion: {
    status: 400,
    code: "http1.no_version",
    words: "a request line without an HTTP version",
  },
  invalidVersion: {
    status: 400,
    code: "http1.invalid_version",
    words: "what stands for the HTTP version is none",
  },
  unknownVersion: {
    status: 505,
    code: "http1.unknown_version",
    words: "neither HTTP/1.0 nor HTTP/1.1",
  },
  invalidStatusLine: {
    status: 400,
    code: "http1.invalid_status_line",
    words: "the first line is no status line",
  },
  // Fields.
  foldedLine: { status: 400, code: "http1.folded_line", words: "a line that begins with a space" },
  spaceBeforeColon: {
    status: 400,
    code: "http1.space_before_colon",
    words: "a space before the colon of a field",
  },
  emptyName: { status: 400, code: "http1.empty_field_name", words: "a field without a name" },
  noColon: { status: 400, code: "http1.no_colon", words: "a line without a colon" },
  invalidName: {
    status: 400,
    code: "http1.invalid_field_name",
    words: "a byte that no field name may hold",
  },
  longName: {
    status: 431,
    code: "http1.field_name_too_long",
    words: "a field name of more than 256 bytes",
  },
  invalidValue: {
    status: 400,
    code: "http1.invalid_field_value",
    words: "a control byte in a field value",
  },
  tooManyFields: { status: 431, code: "http1.too_many_fields", words: "more than 128 fields" },
  longConnection: {
    status: 431,
    code: "http1.connection_too_long",
    words: "more than 1 KiB of connection options",
  },
  // Where a message goes.
  noHost: { status: 400, code: "http1.no_host", words: "no Host header" },
  severalHosts: { status: 400, code: "http1.several_hosts", words: "several Host headers" },
  invalidHost: {
    status: 400,
    code: "http1.invalid_host",
    words: "the Host header is no authority",
  },
  // Where a message ends.
  invalidLength: {
    status: 400,
    code: "http1.invalid_content_length",
    words: "a Content-Length that is no number",
  },
  severalLengths: {
    status: 400,
    code: "http1.several_content_lengths",
    words: "several Content-Length headers",
  },
  lengthAndCoding: {
    status: 400,
    code: "http1.length_and_coding",
    words: "both Content-Length and Transfer-Encoding",
  },
  severalCodings: {
    status: 400,
    code: "http1.several_transfer_encodings",
    words: "several Transfer-Encoding headers",
  },
  unknownCoding: {
    status: 501,
    code: "http1.unknown_transfer_encoding",
    words: "a transfer encoding beside chunked",
  },
  codingInOldVersion: {
    status: 400,
    code: "http1.coding_in_http_1_0",
    words: "Transfer-Encoding in HTTP/1.0",
  },
  tabInFraming: {
    status: 400,
    code: "http1.tab_in_framing",
    words: "a tab beside a length or transfer encoding",
  },
  unexpectedBody: {
    status: 400,
    code: "http1.unexpected_body",
    words: "a body where there can be none",
  },
  unexpectedSwitch: {
    status: 400,
    code: "http1.unexpected_switch",
    words: "a switch of protocols nobody asked for",
  },
  // Bodies.
  invalidChunkSize: {
    status: 400,
    code: "http1.invalid_chunk_size",
    words: "the size of a chunk is no number",
  },
  chunkTooLarge: {
    status: 400,
    code: "http1.chunk_too_large",
    words: "the size of a chunk is out of range",
  },
  invalidExtension: {
    status: 400,
    code: "http1.invalid_chunk_extension",
    words: "a malformed chunk extension",
  },
  longExtensions: {
    status: 400,
    code: "http1.chunk_extensions_too_long",
    words: "more than 16 KiB of chunk extensions",
  },
  lineEnd: {
    status: 400,
    code: "http1.invalid_chunk_end",
    words: "a chunk that no line end follows",
  },
  trailersTooLarge: {
    status: 431,
    code: "http1.trailers_too_large",
    words: "trailers of more than 8 KiB",
  },
  forbiddenTrailer: {
    status: 400,
    code: "http1.forbidden_trailer",
    words: "a trailer that may only stand in a head",
  },
  cutShort: {
    status: 400,
    code: "http1.cut_short",
    words: "the connection ended inside a message",
  },
} as const;
