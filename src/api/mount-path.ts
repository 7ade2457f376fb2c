/** Paths of mounts: none of them may lead out of where it belongs, whatever the file system makes of it. */

/** An absolute path inside the container. */
export function mountPathProblem(path: string): string | undefined {
  if (!path.startsWith("/")) return "is not an absolute path";
  if (path.includes(":")) return 'must not have ":"';
  return segmentProblem(path);
}

/** An absolute path of the machine itself, which may have a ":". */
export function hostPathProblem(path: string): string | undefined {
  return path.startsWith("/") ? segmentProblem(path) : "is not an absolute path";
}

/** A path inside a volume. */
export function relativePathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  return path.startsWith("/") ? "must be a relative path" : segmentProblem(path);
}

function segmentProblem(path: string): string | undefined {
  if (path.includes("\0")) return "must not have a NUL character";
  return path.split("/").includes("..") ? 'must not have ".."' : undefined;
}
