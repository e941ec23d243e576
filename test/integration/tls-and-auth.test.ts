import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { type Certificate, Certificates } from '../support/certificates.ts';
import { freePorts } from '../../src/drill/servers/free-port.ts';
import { type Nearcache, startNearcache } from '../../src/drill/servers/nearcache-process.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { backendName, type RedisServer, startRedis } from '../support/redis-server.ts';
import { say, until } from '../support/sidecar.ts';

/** The way to Redis: TLS, and passwords that change. The server reads files of this machine, so it is no container. */

const nearcaches: Nearcache[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(nearcaches.splice(0).map((nearcache) => nearcache.kill()));
});

/** A busy machine may take its time to connect, unless `flags` say otherwise. */
async function start(upstream: string | number, ...flags: readonly string[]): Promise<Nearcache> {
  const nearcache = await startNearcache({ upstream, flags: ['--connect-timeout', '10s', ...flags] });
  nearcaches.push(nearcache);
  return nearcache;
}

async function dial(target: { port: number }): Promise<RawClient> {
  const client = await connectRaw({ port: target.port });
  clients.push(client);
  return client;
}

describe.skipIf(backendName() !== 'process')('TLS to Redis', () => {
  let certificates: Certificates;
  let authority: Certificate;
  let stranger: Certificate;
  let appCertificate: Certificate;
  let redis: RedisServer;
  /** The same, but it wants to see a certificate. */
  let strict: RedisServer;
  let port: number;
  let strictPort: number;

  beforeAll(async () => {
    certificates = new Certificates();
    authority = certificates.authority('authority');
    stranger = certificates.authority('stranger');
    const own = certificates.signed('redis', authority, 'DNS:redis.example,IP:127.0.0.1');
    appCertificate = certificates.signed('app', authority, 'DNS:app');
    [port, strictPort] = (await freePorts(2)) as [number, number];
    const files = [
      '--tls-cert-file',
      own.cert,
      '--tls-key-file',
      own.key,
      '--tls-ca-cert-file',
      authority.cert,
    ];
    redis = await startRedis({ args: ['--tls-port', `${port}`, ...files, '--tls-auth-clients', 'no'] });
    strict = await startRedis({ args: ['--tls-port', `${strictPort}`, ...files] });
  });

  afterAll(async () => {
    await redis.stop();
    await strict.stop();
    certificates.remove();
  });

  /** An app hears why nearcache cannot reach Redis, and the log says so, too: perhaps of another attempt, which may have
   *  failed at another point. */
  async function expectComplaint(why: RegExp, upstream: string, ...flags: readonly string[]): Promise<void> {
    const nearcache = await start(upstream, ...flags);
    const heard = await say(await dial(nearcache), 'GET', 'k');
    const reason = /^-ERR nearcache: shard shard0 is unreachable \((.*)\); the command was not sent/.exec(
      heard,
    )?.[1];
    expect(reason, heard).toMatch(why);
    await until('the log says why', () =>
      nearcache.logs.split('\n').some((line) => line.includes('shard is unreachable') && why.test(line)),
    );
  }

  it('carries everything: hits, big values, blocking commands', async () => {
    const nearcache = await start(`rediss://127.0.0.1:${port}`, '--upstream-tls-ca', authority.cert);
    const client = await dial(nearcache);
    expect(await say(client, 'SET', 'k', 'v')).toBe('+OK');
    for (let i = 0; i < 3; i++) expect(await say(client, 'GET', 'k')).toBe('v');
    const big = 'b'.repeat(5_000_000);
    expect(await say(client, 'SET', 'big', big)).toBe('+OK');
    expect((await say(client, 'GET', 'big')) === big).toBe(true);
    expect(await say(client, 'BLPOP', 'none', '0.01')).toBe('nil');
    const info = await say(await dial(redis), 'CLIENT', 'LIST');
    expect(info).toContain(`:${port} `);
  });

  it('tells a certificate of an unknown authority', async () => {
    const why = /unable to verify the first certificate|self-signed certificate/;
    await expectComplaint(why, `rediss://127.0.0.1:${port}`, '--upstream-tls-ca', stranger.cert);
  });

  it('trusts the system’s authorities only, when none is given', async () => {
    const why = /unable to (verify the first certificate|get local issuer certificate)|self-signed/;
    await expectComplaint(why, `rediss://127.0.0.1:${port}`);
  });

  it('tells a certificate for another name, and checks the name that it is told to', async () => {
    const flags = ['--upstream-tls-ca', authority.cert, '--upstream-tls-server-name'];
    const why = /does not match certificate's altnames.*other\.example/;
    await expectComplaint(why, `rediss://127.0.0.1:${port}`, ...flags, 'other.example');
    const right = await start(`rediss://127.0.0.1:${port}`, ...flags, 'redis.example');
    expect(await say(await dial(right), 'DBSIZE')).toMatch(/^:/);
  });

  it('shows its own certificate to a Redis that wants one', async () => {
    const flags = ['--upstream-tls-ca', authority.cert];
    const certificate = [
      '--upstream-tls-cert',
      appCertificate.cert,
      '--upstream-tls-key',
      appCertificate.key,
    ];
    const nearcache = await start(`rediss://127.0.0.1:${strictPort}`, ...flags, ...certificate);
    expect(await say(await dial(nearcache), 'DBSIZE')).toBe(':0');
    // Redis closes after the handshake is over on our side: how that shows depends on what was written by then.
    const why = /certificate required|closed|ECONNRESET|EPIPE/;
    await expectComplaint(why, `rediss://127.0.0.1:${strictPort}`, ...flags);
  });

  it('gives up in bounded time when Redis does not speak TLS there', async () => {
    const flags = ['--upstream-tls-ca', authority.cert, '--connect-timeout', '1s'];
    const why = /no connection within 1000 ms|wrong version/;
    await expectComplaint(why, `rediss://127.0.0.1:${redis.port}`, ...flags);
  });

  it('comes back by itself when Redis does', async () => {
    const nearcache = await start(`rediss://127.0.0.1:${port}`, '--upstream-tls-ca', authority.cert);
    const client = await dial(nearcache);
    await say(client, 'DBSIZE');
    await redis.restart();
    await until('back', async () => (await say(client, 'DBSIZE')).startsWith(':'));
  });
});

describe('a password that changes', () => {
  let redis: RedisServer;
  let admin: RawClient;
  let directory: string;
  let file: string;

  beforeAll(async () => {
    redis = await startRedis();
    directory = mkdtempSync(join(tmpdir(), 'nearcache-password-'));
    file = join(directory, 'password');
  });

  afterAll(async () => {
    await redis.stop();
    rmSync(directory, { recursive: true });
  });

  /** Redis takes another password and drops who came with the old one. */
  async function change(password: string): Promise<void> {
    admin = await dial(redis);
    await say(admin, 'AUTH', 'old');
    expect(await say(admin, 'CONFIG', 'SET', 'requirepass', password)).toBe('+OK');
    await say(admin, 'CLIENT', 'KILL', 'TYPE', 'normal');
  }

  it('is read again from its file: nearcache reconnects by itself', async () => {
    await change('old');
    // Written as an editor or `echo` would.
    writeFileSync(file, 'old\n');
    const nearcache = await start(redis.port, '--upstream-password-file', file);
    const client = await dial(nearcache);
    expect(await say(client, 'SET', 'k', 'v')).toBe('+OK');
    await say(client, 'BLPOP', 'none', '0.01');

    await change('new');
    await until('refused', async () => (await say(client, 'GET', 'k')).startsWith('-ERR nearcache'));
    expect(await say(client, 'GET', 'k')).toMatch(
      /^-ERR nearcache: shard shard0 refused the connection \(WRONGPASS /,
    );
    expect(await say(client, 'BLPOP', 'none', '0.01')).toMatch(/refused the connection \(WRONGPASS /);

    writeFileSync(file, 'new');
    await until('back', async () => (await say(client, 'GET', 'k')) === 'v');
    expect(await say(client, 'BLPOP', 'none', '0.01')).toBe('nil');
    expect(nearcache.hasEnded).toBe(false);
    expect(nearcache.logs).not.toMatch(/"(old|new)"/);
    await say(admin, 'AUTH', 'new');
    await say(admin, 'CONFIG', 'SET', 'requirepass', '');
  });

  it('that cannot be read is told, and read again later', async () => {
    writeFileSync(file, 'unused');
    const nearcache = await start(redis.port, '--upstream-password-file', file);
    const client = await dial(nearcache);
    rmSync(file);
    const direct = await dial(redis);
    await say(direct, 'CLIENT', 'KILL', 'TYPE', 'normal');
    await until('unreachable', async () => (await say(client, 'GET', 'k')).includes('ENOENT'));
    writeFileSync(file, 'unused');
    await until('back', async () => !(await say(client, 'GET', 'k')).startsWith('-'));
  });
});
