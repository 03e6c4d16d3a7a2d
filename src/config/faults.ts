export type Path = readonly PropertyKey[];

/** `connections.orders.brokers[0]`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

/** What is wrong with a configuration: each fault in one sentence, with the key it is about. */
export class Faults {
  private readonly found: string[] = [];
  private readonly paths = new Set<string>();
  private readonly writtenAs = new Map<string, string>();

  get list(): readonly string[] {
    return this.found;
  }

  /** What is already known to be wrong is not complained about again under the same key. */
  add(path: Path, message: string): void {
    const key = pathText(path);
    this.paths.add(key);
    this.found.push(`${this.writtenAs.get(key) ?? key}: ${message}`);
  }

  has(path: Path): boolean {
    const key = pathText(path);
    return this.paths.has(key) || this.paths.has(this.writtenAs.get(key) ?? key);
  }

  /** The value at `path` was written under another key: faults name that one. */
  rename(path: Path, written: Path): void {
    this.writtenAs.set(pathText(path), pathText(written));
  }
}
