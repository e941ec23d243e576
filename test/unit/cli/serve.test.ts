import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { freePort } from '../../../src/drill/servers/free-port.ts';
import { type ProgramResult, runProgram, startProgram } from '../../support/program.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/sidecar.ts';

/** `nearcache serve` as a process of its own, since what it is about is the process: exit code, output, signals. */

/** Without the variable of the tests, which nearcache would refuse as a mistyped one of its own. */
const CLEAN_NODE = ['-u', 'NEARCACHE_TEST_BACKEND', process.execPath];
const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
let directory: string;
/** Nothing listens there: nearcache starts without its Redis. */
let upstream: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nearcache-serve-'));
  upstream = `redis://127.0.0.1:${await freePort()}`;
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Shape: flags with one blank between. */
function serve(flags: string): Promise<ProgramResult> {
  return runProgram('env', [...CLEAN_NODE, MAIN, 'serve', ...flags.split(' ')]);
}

function common(): string {
  return `--upstream ${upstream} --log-format json --drain-serve 100ms`;
}

describe('a configuration with mistakes', () => {
  it('ends with 2, and says all of them, one a line', async () => {
    const result = await serve('--listen nowhere --cache-size much --nosuch');
    expect(result.code).toBe(2);
    const lines = result.stderr.trim().split('\n');
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toMatch(/^nearcache: /);
    expect(result.stderr).toMatch(/listen/);
    expect(result.stderr).toMatch(/cache-size|cacheBytes/);
    expect(result.stderr).toMatch(/nosuch/);
    expect(result.stdout).toBe('');
  });

  it('ends with 2 when its file does not exist', async () => {
    const result = await serve(`--config ${join(directory, 'none.yaml')}`);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('none.yaml') });
  });

  it.each(['--upstream-tls-ca', '--tls-cert'])(
    'ends with 2 when the file of %s does not exist',
    async (flag) => {
      const path = join(directory, 'none.pem');
      const others =
        flag === '--tls-cert' ? `--tls-key ${path} --listen tls://127.0.0.1:0` : '--listen 127.0.0.1:0';
      const result = await serve(
        `--upstream ${upstream.replace('redis:', 'rediss:')} ${flag} ${path} ${others}`,
      );
      expect(result.stderr).toMatch(/none\.pem/);
      expect(result.stderr).not.toMatch(/\n\s+at /);
      expect(result.code).toBe(2);
    },
  );
});

describe('a start that fails', () => {
  it('ends with 1 when a listen address is taken, and names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const result = await serve(
      `--listen 127.0.0.1:${port} --admin 127.0.0.1:${await freePort()} ${common()}`,
    );
    other.close();
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(`cannot listen on 127.0.0.1:${port}: EADDRINUSE`);
  });

  it('ends with 1 when the admin address is taken, and names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const result = await serve(
      `--listen 127.0.0.1:${await freePort()} --admin 127.0.0.1:${port} ${common()}`,
    );
    other.close();
    expect(result.code).toBe(1);
    expect(result.stdout).toContain(`127.0.0.1:${port}`);
  });

  it('ends with 1 when a certificate cannot be used', async () => {
    const path = join(directory, 'not.pem');
    writeFileSync(path, 'not a certificate');
    const result = await serve(
      `--listen tls://127.0.0.1:0 --admin off --tls-cert ${path} --tls-key ${path} ${common()}`,
    );
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('could not start');
  });
});

describe('a running nearcache', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with 0 on %s, and lets sessions have their replies',
    async (signal) => {
      const port = await freePort();
      const program = startProgram('env', [
        ...CLEAN_NODE,
        MAIN,
        'serve',
        ...`--listen 127.0.0.1:${port} --admin off ${common()}`.split(' '),
      ]);
      await until('it listens', () => program.stdout.includes('"listening"'));
      const client = await connectRaw({ port });
      expect(String(await client.call('PING'))).toBe('+PONG\r\n');
      program.child.kill(signal);
      await client.closed;
      const result = await program.ended;
      expect(result.code).toBe(0);
      expect(result.stdout).toContain('"stopped"');
      expect(result.stderr).toBe('');
    },
  );
});
