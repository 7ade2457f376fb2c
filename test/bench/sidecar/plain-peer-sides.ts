/** Pairs of nginx and of HAProxy. HTTP alone; no access log, which is to their advantage. */
import { join } from "node:path";
import { freePort } from "../../kit/free-port.ts";
import { CALLEE_NAME, CALLER_NAME } from "./bench-certificates.ts";
import { PROXY_CORE, startPinned } from "./measured-process.ts";
import { writePeerConfiguration } from "./peer-configuration.ts";
import type { Program } from "./programs.ts";
import type { BenchContext, ProxySide, SidecarProxy } from "./proxy-side.ts";
import { untilListening } from "./until-listening.ts";

interface PlainPeer {
  readonly callerTemplate: string;
  readonly calleeTemplate: string;
  readonly program: (context: BenchContext) => Program;
  /** After the program's path. */
  readonly parameters: (files: {
    readonly configuration: string;
    readonly folder: string;
    readonly log: string;
  }) => readonly string[];
}

export const nginxSide: ProxySide = sideOf({
  callerTemplate: "nginx-caller.conf",
  calleeTemplate: "nginx-callee.conf",
  program: ({ nginx }) => nginx(),
  parameters: ({ configuration, folder, log }) => ["-c", configuration, "-p", folder, "-e", log],
});

export const haproxySide: ProxySide = sideOf({
  callerTemplate: "haproxy-caller.cfg",
  calleeTemplate: "haproxy-callee.cfg",
  program: ({ haproxy }) => haproxy(),
  parameters: ({ configuration }) => ["-db", "-q", "-f", configuration],
});

function sideOf(peer: PlainPeer): ProxySide {
  return {
    startCallee: async (context) => {
      const { api, frontend } = context.certificates.names;
      const application = context.origins.http ?? 0;
      const proxy = await start(peer, context, {
        template: peer.calleeTemplate,
        values: { ...api, application },
      });
      return { ...proxy, clients: { caller: frontend, stranger: api } };
    },
    startCaller: (context, { http: callee = 0 }) =>
      start(peer, context, {
        template: peer.callerTemplate,
        values: { ...context.certificates.names.frontend, callee },
      }),
  };
}

async function start(
  peer: PlainPeer,
  context: BenchContext,
  { template, values }: { readonly template: string; readonly values: object },
): Promise<SidecarProxy> {
  const { folder } = context;
  const listen = await freePort();
  const names = { calleeName: CALLEE_NAME, callerName: CALLER_NAME };
  const configuration = writePeerConfiguration(template, { ...names, ...values, listen, folder });
  const { path, environment } = peer.program(context);
  const log = join(folder, `${listen}-${template}.log`);
  const command = [path, ...peer.parameters({ configuration, folder, log })];
  const process = await startPinned(command, { core: PROXY_CORE, log, environment });
  await untilListening(listen, log);
  return { process, ports: { http: listen } };
}
