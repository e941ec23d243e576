import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What was asked for cannot be done on this machine; the message says what is missing. */
export class NotPossible extends Error {}

/** Hides /etc/hosts, and every other source of names, behind files of ours, for the program named behind and for nobody else. */
const SCRIPT = 'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"';

/** One host name that exists for one program alone, and can be taken away from it: the program runs in a mount namespace whose
 *  /etc/hosts is a file of ours, so that the system's own resolver is what fails. The machine's names are not touched.
 *  Errors: the constructor throws `NotPossible` where namespaces are not to be had (not Linux, or forbidden). */
export class PrivateNames {
  /** To be put in front of the program's command line. */
  readonly launcher: readonly string[];
  readonly #dir: string;
  readonly #hosts: string;
  readonly #line: string;

  constructor(host: string, address: string) {
    this.#dir = mkdtempSync(join(tmpdir(), 'nearcache-names-'));
    this.#hosts = join(this.#dir, 'hosts');
    this.#line = `${address} ${host}\n`;
    const sources = join(this.#dir, 'nsswitch.conf');
    writeFileSync(sources, 'hosts: files\n');
    this.restore();
    const namespace = ['unshare', '--user', '--map-root-user', '--mount'];
    this.launcher = [...namespace, 'sh', '-c', SCRIPT, 'sh', this.#hosts, sources];
    const tried = spawnSync('unshare', [...this.launcher.slice(1), 'true'], { encoding: 'utf8' });
    if (tried.status === 0 && existsSync('/etc/nsswitch.conf')) return;
    this.stop();
    const reason = tried.error?.message ?? tried.stderr.trim();
    throw new NotPossible(`needs a mount namespace of its own, by unshare(1) of Linux: ${reason}`);
  }

  remove(): void {
    writeFileSync(this.#hosts, '127.0.0.1 localhost\n');
  }

  restore(): void {
    writeFileSync(this.#hosts, `127.0.0.1 localhost\n${this.#line}`);
  }

  stop(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
