/** What a process has opened, to be closed together. */
export interface Closable {
  close(): Promise<void>;
}

export async function closeAll(opened: readonly Closable[]): Promise<void> {
  await Promise.all(opened.map((one) => one.close()));
}
