/** Access logs as users asked for them (OBS-1..OBS-13), written by Envoy itself. */
import type { LogFormat } from "../../api/mesh-settings.ts";
import type { AccessLog } from "../../policy/workload-view.ts";
import { type HandshakeLog, handshakesFor } from "../decision-log.ts";
import { typeUrl } from "../envoy-json.ts";
import { substitutionFormat } from "./log-format.ts";

/** `envoy.config.accesslog.v3.AccessLog` */
export type EnvoyAccessLog = Readonly<Record<string, unknown>>;

const FILE_LOG = {
  name: "envoy.access_loggers.file",
  type: "envoy.extensions.access_loggers.file.v3.FileAccessLog",
} as const;

/** Those of the two streams, which a file of that name could not open where they are sockets. */
const STREAMS: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  "/dev/stdout": {
    name: "envoy.access_loggers.stdout",
    type: "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
  },
  "/dev/stderr": {
    name: "envoy.access_loggers.stderr",
    type: "envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
  },
};

/**
 * Of requests and connections that found their chain.
 *
 * @param logs of one side of the workload; absent: nobody asked
 */
export function accessLogs(logs: readonly AccessLog[] = []): {
  readonly accessLog?: readonly EnvoyAccessLog[];
} {
  const written = logs.flatMap((log) => entry(log, celFilter(log)));
  return written.length === 0 ? {} : { accessLog: written };
}

/** Of connections that found none (OBS-4), for the listener; the agent is told of failed handshakes, too. */
export function refusalLogs(logs: readonly AccessLog[] = []): {
  readonly accessLog?: readonly EnvoyAccessLog[];
} {
  const written = logs
    .filter(({ refusals }) => refusals !== "left out")
    .flatMap((log) => {
      const ownFilter = celFilter(log);
      const filters = [WITHOUT_CHAIN, ...(ownFilter === undefined ? [] : [ownFilter])];
      const handshakes = handshakesFor(log);
      return [
        ...entry(log, filters.length === 1 ? WITHOUT_CHAIN : { andFilter: { filters } }),
        ...(handshakes === undefined ? [] : [handshakeEntry(handshakes)]),
      ];
    });
  return written.length === 0 ? {} : { accessLog: written };
}

const WITHOUT_CHAIN = { responseFlagFilter: { flags: ["NR"] } };

/** @returns nothing for a filter that no sidecar can evaluate: nothing satisfies it */
function entry(log: AccessLog, filter: object | undefined): readonly EnvoyAccessLog[] {
  const { path, format } = log;
  if (log.filter !== undefined && log.filter.tree === undefined) return [];
  const stream = STREAMS[path];
  const isOwn = handshakesFor(log) !== undefined;
  const logFormat = isOwn ? verbatim(format) : substitutionFormat(format);
  return [
    {
      name: stream?.name ?? FILE_LOG.name,
      ...(filter && { filter }),
      typedConfig:
        stream === undefined
          ? { "@type": typeUrl(FILE_LOG.type), path, logFormat }
          : { "@type": typeUrl(stream.type), logFormat },
    },
  ];
}

/** Ours asks for what only Envoy can tell. */
function verbatim({ template = "{}" }: LogFormat): object {
  return { jsonFormat: JSON.parse(template) };
}

function handshakeEntry({ path, expression, fields }: HandshakeLog): EnvoyAccessLog {
  return {
    name: FILE_LOG.name,
    filter: satisfying(expression),
    typedConfig: { "@type": typeUrl(FILE_LOG.type), path, logFormat: { jsonFormat: fields } },
  };
}

/** OBS-12 */
function celFilter({ filter }: AccessLog): object | undefined {
  return filter && satisfying(filter.expression);
}

function satisfying(expression: string): object {
  return {
    extensionFilter: {
      name: "envoy.access_loggers.extension_filters.cel",
      typedConfig: {
        "@type": typeUrl("envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"),
        expression,
      },
    },
  };
}
