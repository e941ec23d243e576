import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Certificates that are valid for a day, made by openssl in a directory of their own. */
export class Certificates {
  readonly #dir: string = mkdtempSync(join(tmpdir(), 'nearcache-tls-'));

  /** An authority that signs itself. */
  authority(name: string): Certificate {
    const made = this.#files(name);
    const args = ['-subj', `/CN=${name}`, '-days', '1', '-keyout', made.key, '-out', made.cert];
    openssl(['req', '-x509', '-noenc', ...NEW_KEY, ...args]);
    return made;
  }

  /** A certificate for these names or addresses, e.g. `DNS:localhost,IP:127.0.0.1`, signed by `authority`. */
  signed(name: string, authority: Certificate, altNames: string): Certificate {
    const made = this.#files(name);
    const request = join(this.#dir, `${name}.csr`);
    const extensions = join(this.#dir, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${altNames}\n`);
    openssl([
      'req',
      '-new',
      '-noenc',
      ...NEW_KEY,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      made.key,
      '-out',
      request,
    ]);
    const signer = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial'];
    openssl([
      'x509',
      '-req',
      '-in',
      request,
      '-out',
      made.cert,
      '-days',
      '1',
      ...signer,
      '-extfile',
      extensions,
    ]);
    return made;
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true });
  }

  #files(name: string): Certificate {
    return { cert: join(this.#dir, `${name}.crt`), key: join(this.#dir, `${name}.key`) };
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
