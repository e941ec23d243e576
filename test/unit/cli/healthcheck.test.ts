import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { healthcheck } from '../../../src/cli/healthcheck.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { freePort } from '../../../src/drill/servers/free-port.ts';

let server: Server;
let port: number;
let status: number;
let asked: string[];
let said: string;

beforeEach(async () => {
  status = 200;
  asked = [];
  said = '';
  server = createServer(({ url }, response) => {
    asked.push(String(url));
    response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  vi.spyOn(console, 'error').mockImplementation((line: string) => {
    said += line;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  server.close();
});

describe('nearcache healthcheck', () => {
  it('is 0 and silent when /livez answers', async () => {
    expect(await healthcheck(['--admin', `127.0.0.1:${port}`], {})).toBe(0);
    expect({ asked, said }).toEqual({ asked: ['/livez'], said: '' });
  });

  it('is 1 when it answers anything else', async () => {
    status = 503;
    expect(await healthcheck(['--admin', `127.0.0.1:${port}`], {})).toBe(1);
    expect(said).toBe(`nearcache healthcheck: /livez of 127.0.0.1:${port} answered 503`);
  });

  it('is 1 when nothing listens there', async () => {
    const nothing = await freePort();
    expect(await healthcheck(['--admin', `127.0.0.1:${nothing}`], {})).toBe(1);
    expect(said).toContain(`cannot ask 127.0.0.1:${nothing}: connect ECONNREFUSED`);
  });

  it('is 1 when the process accepts but does not answer', { timeout: 15_000 }, async () => {
    server.removeAllListeners('request');
    expect(await healthcheck(['--admin', `127.0.0.1:${port}`], {})).toBe(1);
    expect(said).toContain('no answer within 2000 ms');
    server.closeAllConnections();
  });

  it.each(['', '[::]', '0.0.0.0'])(
    'asks over loopback where the server is on all addresses (%s)',
    async (host) => {
      expect(await healthcheck([], { NEARCACHE_ADMIN: `${host}:${port}` })).toBe(0);
    },
  );

  it('takes the flag before the variable, and the variable before the file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nearcache-healthcheck-'));
    const file = join(directory, 'nearcache.yaml');
    const here = `127.0.0.1:${port}`;
    writeFileSync(file, `admin: "${here}"\nlogLevel: [not, finished\n`);
    expect(await healthcheck([], { NEARCACHE_CONFIG: file }), said).toBe(0);
    expect(await healthcheck([], { NEARCACHE_CONFIG: file, NEARCACHE_ADMIN: 'off' })).toBe(1);
    expect(await healthcheck(['--admin', here], { NEARCACHE_CONFIG: file, NEARCACHE_ADMIN: 'off' })).toBe(0);
    rmSync(directory, { recursive: true });
  });

  it('asks where serve listens when nobody says otherwise', async () => {
    const loaded = loadConfig([], {}, () => '');
    const admin = 'config' in loaded ? loaded.config.admin : undefined;
    const code = await healthcheck([], {});
    // A nearcache that happens to run on this machine answers.
    if (code === 1) expect(said).toContain(`cannot ask ${admin?.host}:${admin?.port}`);
  });

  it.each([
    [['--admin', 'off'], 'the admin server is off'],
    [['--admin', 'nowhere'], '"nowhere" is not an address; accepted: host:port'],
    [['--admn', '127.0.0.1:1'], 'usage: nearcache healthcheck [--admin host:port]'],
  ])('says what is wrong with %j', async (args, reason) => {
    expect(await healthcheck(args, {})).toBe(1);
    expect(said).toContain(reason);
  });
});
