/**
 * Envoy's message definitions as `@grpc/grpc-js-xds` carries them, with the fields and messages added that Envoy 1.40 has
 * beyond them and that are used here. Numbers and types are those of the descriptors in Envoy 1.40's own program.
 */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const CARRIED = "node_modules/@grpc/grpc-js-xds/deps/envoy-api";
const KEPT = ".cache/protos";

/** After the line that `after` begins with, in the file. */
const ADDED = [
  {
    file: "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
    lines: [
      ["message HttpConnectionManager {", "bool http1_safe_max_connection_duration = 58;"],
      ["  message Tracing {", "bool no_context_propagation = 13;"],
    ],
  },
  {
    file: "envoy/type/tracing/v3/custom_tag.proto",
    lines: [["  oneof type {", "string value = 6;"]],
  },
  {
    file: "envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto",
    imports: ["envoy/config/route/v3/route_components.proto"],
    lines: [
      ["message LocalRateLimit {", "repeated config.route.v3.RateLimit rate_limits = 17;"],
      ["message LocalRateLimit {", "google.protobuf.UInt32Value max_dynamic_descriptors = 18;"],
    ],
  },
  {
    file: "envoy/extensions/filters/http/ratelimit/v3/rate_limit.proto",
    lines: [
      ["message RateLimit {", "config.core.v3.RuntimeFractionalPercent filter_enforced = 15;"],
      ["message RateLimit {", "repeated config.route.v3.RateLimit rate_limits = 17;"],
    ],
  },
  {
    file: "envoy/config/common/mutation_rules/v3/mutation_rules.proto",
    imports: ["envoy/type/matcher/v3/string.proto"],
    lines: [
      [
        "message HeaderMutation {",
        "message RemoveOnMatch { type.matcher.v3.StringMatcher key_matcher = 1; }",
      ],
      ["  oneof action {", "RemoveOnMatch remove_on_match = 3;"],
    ],
  },
  {
    file: "envoy/extensions/matching/common_inputs/network/v3/network_inputs.proto",
    lines: [
      [
        "option (udpa.annotations.file_status).package_version_status = ACTIVE;",
        "message DynamicMetadataInput { message PathSegment { oneof segment { string key = 1; } } string filter = 1; repeated PathSegment path = 2; }",
      ],
    ],
  },
  {
    file: "envoy/extensions/filters/http/basic_auth/v3/basic_auth.proto",
    lines: [["message BasicAuth {", "string authentication_header = 3;"]],
  },
  {
    file: "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
    lines: [
      [
        "message TcpProxy {",
        "enum UpstreamConnectMode { IMMEDIATE = 0; ON_DOWNSTREAM_DATA = 1; ON_DOWNSTREAM_TLS_HANDSHAKE = 2; }",
      ],
      ["message TcpProxy {", "UpstreamConnectMode upstream_connect_mode = 21;"],
      ["message TcpProxy {", "google.protobuf.UInt32Value max_early_data_bytes = 22;"],
    ],
  },
];

/** Files that it does not carry. */
const FURTHER = [
  {
    file: "envoy/extensions/matching/input_matchers/metadata/v3/metadata.proto",
    text: `syntax = "proto3";
package envoy.extensions.matching.input_matchers.metadata.v3;
import "envoy/type/matcher/v3/value.proto";
message Metadata { type.matcher.v3.ValueMatcher value = 1; bool invert = 4; }
`,
  },
];

function withAdded(text, { imports = [], lines }) {
  const imported = imports.map((path) => `import "${path}";`).join("\n");
  const [head, ...rest] = text.split("\nimport ");
  const whole = imports.length === 0 ? text : [`${head}\n${imported}`, ...rest].join("\nimport ");
  return lines.reduce((before, [after, line]) => {
    const place = before.indexOf(`\n${after}\n`);
    if (place < 0) throw new Error(`there is no line ${after}`);
    const end = place + after.length + 2;
    return `${before.slice(0, end)}${line}\n${before.slice(end)}`;
  }, whole);
}

const draft = `${KEPT}-${process.pid}`;
mkdirSync(draft, { recursive: true });
cpSync(CARRIED, join(draft, "envoy-api"), { recursive: true });
for (const added of ADDED) {
  const path = join(draft, "envoy-api", added.file);
  writeFileSync(path, withAdded(readFileSync(path, "utf8").replaceAll("\r\n", "\n"), added));
}
for (const { file, text } of FURTHER) {
  const path = join(draft, "envoy-api", file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
rmSync(KEPT, { recursive: true, force: true });
renameSync(draft, KEPT);
