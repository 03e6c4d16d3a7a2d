import { writeFile } from 'node:fs/promises';

/**
 * Addresses of pods on this machine, and a file like /etc/hosts. In it one name stands for all ready pods, as in the DNS
 * of a headless Service.
 */
export class PodHosts {
  readonly file: string;
  readonly name: string;
  private readonly addresses = new Map<string, string>();
  private readonly ready = new Set<string>();

  constructor(file: string, name: string) {
    this.file = file;
    this.name = name;
  }

  /** The pod's own address in 127.0.0.0/8. */
  addressOf(uid: string): string {
    const known = this.addresses.get(uid);
    if (known !== undefined) return known;
    const address = `127.0.1.${this.addresses.size + 1}`;
    this.addresses.set(uid, address);
    return address;
  }

  uidAt(address: string): string | undefined {
    return [...this.addresses].find(([, one]) => one === address)?.[0];
  }

  /** The addresses of the ready pods. */
  get readyAddresses(): readonly string[] {
    return [...this.ready].map((uid) => this.addressOf(uid));
  }

  async set(uid: string, ready: boolean): Promise<void> {
    if (this.ready.has(uid) === ready) return;
    if (ready) this.ready.add(uid);
    else this.ready.delete(uid);
    await this.write();
  }

  /** Written in place, so that a mount still shows the same file. */
  async write(): Promise<void> {
    const lines = this.readyAddresses.map((address) => `${address} ${this.name}\n`);
    await writeFile(this.file, ['127.0.0.1 localhost\n', ...lines].join(''));
  }
}
