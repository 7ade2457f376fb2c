/** Where values lie that predicates are about. */
import { type Extension, extension, type Input } from "./predicate.ts";

const NETWORK = "envoy.extensions.matching.common_inputs.network.v3";

/** All URIs of the peer's certificate, joined by commas; none without TLS: then no matcher that asks for it decides. */
export const PEER_URI: Input = extension(
  "envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput",
);
/** The direct peer (AP-50). */
export const SOURCE_ADDRESS: Input = extension(`${NETWORK}.DirectSourceIPInput`);
/** After X-Forwarded-For (AP-51). */
export const REMOTE_ADDRESS: Input = extension(`${NETWORK}.SourceIPInput`);
export const DESTINATION_ADDRESS: Input = extension(`${NETWORK}.DestinationIPInput`);
export const DESTINATION_PORT: Input = extension(`${NETWORK}.DestinationPortInput`);
export const SERVER_NAME: Input = extension(`${NETWORK}.ServerNameInput`);

/** All lines of the header, joined by commas; pseudo headers too. @param name in lower case */
export function header(name: string): Input {
  return extension("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { headerName: name });
}

/** Of HTTP alone: a connection has none that could be asked for. */
export function dynamicMetadata(filter: string, path: readonly string[]): Input {
  return extension(`${NETWORK}.DynamicMetadataInput`, {
    filter,
    path: path.map((key) => ({ key })),
  });
}

/** @param cidrRanges of envoy.config.core.v3.CidrRange */
export function addressMatcher(cidrRanges: readonly object[]): Extension {
  return extension("envoy.extensions.matching.input_matchers.ip.v3.Ip", {
    cidrRanges,
    statPrefix: "rbac",
  });
}

/** @param value envoy.type.matcher.v3.ValueMatcher */
export function metadataMatcher(value: object): Extension {
  return extension("envoy.extensions.matching.input_matchers.metadata.v3.Metadata", { value });
}
