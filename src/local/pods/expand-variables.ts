/**
 * Kubernetes' `$(NAME)` in commands, arguments and variables. `$$` is a `$` that begins nothing.
 * Source: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
const REFERENCE = /\$\$|\$\(([^()=]+)\)/g;

/** A name that is not in `variables` stays as it is written. */
export function expandVariables(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(REFERENCE, (whole, name: string | undefined) =>
    name === undefined ? "$" : (variables[name] ?? whole),
  );
}
