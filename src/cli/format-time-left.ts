/** How long something still lasts, in the two largest units. */

/** `3649 d`, `23 h 59 min`, `12 min`, `8 s`, `ended` */
export function formatTimeLeft(leftMs: number): string {
  return leftMs <= 0 ? "ended" : formatDuration(leftMs);
}

/** `3649 d`, `23 h 59 min`, `12 min`, `0 s` */
export function formatDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes} min`;
  return hours < 72 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}
