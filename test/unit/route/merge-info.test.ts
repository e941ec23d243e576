import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { merge } from '../../../src/route/merge.ts';
import { planInfo } from '../../../src/route/merge-info.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { requestOf } from '../../support/request-of.ts';

const NAMES = [
  { name: 'a', address: '10.0.0.1:6379' },
  { name: 'b', address: '[fd00::2]:6379' },
  { name: 'c', address: '/run/redis.sock' },
];

/** An INFO reply as a server sends it to a RESP3 client. */
function frameOf(text: string): Buffer {
  return Buffer.from(`=${text.length + 4}\r\ntxt:${text}\r\n`, 'latin1');
}

function info(...sections: readonly (readonly [string, ...string[]])[]): Buffer {
  return frameOf(sections.map(([title, ...lines]) => `# ${title}\r\n${lines.join('\r\n')}\r\n`).join('\r\n'));
}

/** The merged text of what `args` ask for. */
function mergedText(frames: readonly Buffer[], ...args: string[]): string {
  const plan = planInfo(requestOf('INFO', ...args));
  const shards = NAMES.slice(0, frames.length);
  const reply = merge('info', frames, { command: 'info', info: { plan, shards } }).toString('latin1');
  const [, length, text] = /^=(\d+)\r\ntxt:(.*)\r\n$/s.exec(reply) ?? [];
  expect(Number(length)).toBe((text ?? '').length + 4);
  return text as string;
}

/** By section and field. */
function fieldsOf(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let fields: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (line.startsWith('# ')) sections[line.slice(2)] = fields = {};
    else if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1);
  }
  return sections;
}

function merged(frames: readonly Buffer[], ...args: string[]): Record<string, Record<string, string>> {
  return fieldsOf(mergedText(frames, ...args));
}

describe('INFO of two real servers', () => {
  let servers: RedisServer[] = [];
  let clients: RawClient[] = [];
  let frames: Buffer[] = [];

  beforeAll(async () => {
    servers = [await startRedis(), await startRedis()];
    clients = await Promise.all(servers.map((server) => connectRaw({ port: server.port })));
    for (const [i, client] of clients.entries()) {
      await client.call('HELLO', '3');
      for (let key = 0; key < 10 + i; key++) await client.call('SET', `key${key}`, 'x'.repeat(1000));
      await client.call('SET', 'soon', 'x', 'PX', String(100_000 * (i + 1)));
      await client.call('GET', 'key0');
      await client.call('HGET', 'key0', 'f');
    }
    await clients[1]?.call('SELECT', '3');
    await clients[1]?.call('SET', 'other', 'x');
    frames = await Promise.all(clients.map((client) => client.call('INFO', 'everything')));
  });

  afterAll(async () => {
    for (const client of clients) client.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  function single(): Record<string, Record<string, string>>[] {
    return frames.map((frame) => fieldsOf(frame.toString('latin1').replace(/^=\d+\r\ntxt:/, '')));
  }

  it('has the lines of one server, and then the shards', () => {
    const [first] = single();
    const both = merged(frames, 'everything');
    expect(Object.keys(both)).toEqual([...Object.keys(first ?? {}), 'Shards']);
    for (const section of ['Server', 'Clients', 'Memory', 'Persistence', 'Stats', 'Replication', 'CPU']) {
      expect(Object.keys(both[section] ?? {})).toEqual(Object.keys(first?.[section] ?? {}));
    }
  });

  it('is laid out like Redis’s own', () => {
    const text = mergedText(frames, 'everything');
    expect(text.startsWith('# Server\r\nredis_version:')).toBe(true);
    expect(text).toMatch(/\r\n\r\n# Clients\r\nconnected_clients:\d+\r\n/);
    expect(text).toMatch(/\r\n\r\n# Modules\r\n\r\n# /);
    expect(text).toMatch(/\r\n\r\n# Shards\r\nshard0:.*\r\nshard1:.*\r\n$/);
  });

  it('adds up what can be added', () => {
    const [a, b] = single();
    const both = merged(frames, 'everything');
    for (const [section, field] of [
      ['Clients', 'connected_clients'],
      ['Clients', 'maxclients'],
      ['Memory', 'used_memory'],
      ['Memory', 'used_memory_rss'],
      ['Stats', 'total_commands_processed'],
      ['Stats', 'keyspace_hits'],
      ['Stats', 'total_net_input_bytes'],
      ['Persistence', 'rdb_changes_since_last_save'],
    ] as const) {
      const sum = Number(a?.[section]?.[field]) + Number(b?.[section]?.[field]);
      expect([field, both[section]?.[field]]).toEqual([field, String(sum)]);
    }
    expect(Number(both['CPU']?.['used_cpu_user'])).toBeCloseTo(
      Number(a?.['CPU']?.['used_cpu_user']) + Number(b?.['CPU']?.['used_cpu_user']),
      5,
    );
  });

  it('computes again what follows from other fields', () => {
    const memory = merged(frames)['Memory'] ?? {};
    const bytes = (field: string): number => Number(memory[field]);
    expect(memory['used_memory_human']).toBe(`${(bytes('used_memory') / 1024 ** 2).toFixed(2)}M`);
    expect(memory['maxmemory_human']).toBe('0B');
    expect(memory['mem_fragmentation_ratio']).toBe(
      (bytes('used_memory_rss') / bytes('used_memory')).toFixed(2),
    );
    expect(memory['used_memory_peak_perc']).toBe(
      `${((bytes('used_memory') * 100) / bytes('used_memory_peak')).toFixed(2)}%`,
    );
  });

  it('takes what is about one server from the first', () => {
    const [a, b] = single();
    const both = merged(frames);
    expect(both['Server']).toEqual(a?.['Server']);
    expect(both['Server']).not.toEqual(b?.['Server']);
    expect(both['Replication']).toEqual(a?.['Replication']);
    expect(both['Memory']?.['mem_allocator']).toBe(a?.['Memory']?.['mem_allocator']);
  });

  it('merges databases, calls and errors', () => {
    const both = merged(frames, 'everything');
    expect(both['Keyspace']?.['db0']).toMatch(/^keys=23,expires=2,avg_ttl=\d+/);
    expect(both['Keyspace']?.['db3']).toMatch(/^keys=1,expires=0,avg_ttl=0/);
    expect(both['Commandstats']?.['cmdstat_set']).toMatch(/^calls=24,usec=\d+,usec_per_call=\d+\.\d\d,/);
    expect(both['Errorstats']).toEqual({ errorstat_WRONGTYPE: 'count=2' });
  });

  it('lists the shards', () => {
    const shards = merged(frames)['Shards'] ?? {};
    const [a] = single();
    expect(shards['shard0']).toBe(
      `name=a,address=10.0.0.1:6379,up=1,role=master,keys=11,used_memory=${a?.['Memory']?.['used_memory']},` +
        `connected_clients=${a?.['Clients']?.['connected_clients']},ops_per_sec=${a?.['Stats']?.['instantaneous_ops_per_sec']}`,
    );
    expect(shards['shard1']).toMatch(/^name=b,address=\[fd00::2\]:6379,up=1,role=master,keys=13,/);
  });

  it('has only the sections that were asked for', async () => {
    const ask = (...args: string[]): Promise<Buffer[]> => {
      const { bytes } = planInfo(requestOf('INFO', ...args));
      return Promise.all(
        clients.map((client) => {
          client.send(bytes);
          return client.readFrame();
        }),
      );
    };
    const sections = async (...args: string[]): Promise<string[]> =>
      Object.keys(merged(await ask(...args), ...args));
    expect(await sections('memory')).toEqual(['Memory']);
    expect(await sections('shards')).toEqual(['Shards']);
    expect(await sections('SHARDS', 'CPU', 'memory')).toEqual(['Memory', 'CPU', 'Shards']);
    expect((await sections('default', 'shards')).at(-1)).toBe('Shards');
    expect((await sections()).at(-1)).toBe('Shards');
    expect(await sections('nothing')).toEqual([]);
    expect(merged(await ask('shards'), 'shards')['Shards']?.['shard0']).toMatch(
      /keys=11,used_memory=\d{6,},/,
    );
  });
});

describe('INFO of several shards', () => {
  it('is given without those that are down', () => {
    const up = info(['Stats', 'total_commands_processed:5'], ['Replication', 'role:slave']);
    const both = merged([Buffer.from('-ERR down\r\n'), up]);
    expect(both['Stats']).toEqual({ total_commands_processed: '5' });
    expect(both['Shards']).toEqual({
      shard0: 'name=a,address=10.0.0.1:6379,up=0',
      shard1: expect.stringMatching(/^name=b,.*,up=1,role=slave,keys=0,/),
    });
  });

  it('is the error of the first when all are down', () => {
    const plan = planInfo(requestOf('INFO'));
    const down = ['-ERR one\r\n', '-ERR two\r\n'].map((text) => Buffer.from(text));
    const reply = merge('info', down, { command: 'info', info: { plan, shards: NAMES } });
    expect(reply.toString()).toBe('-ERR one\r\n');
  });

  it('is an error when a reply is no text', () => {
    const plan = planInfo(requestOf('INFO'));
    const reply = merge('info', [info(['CPU', 'a:1']), Buffer.from(':1\r\n')], {
      command: 'info',
      info: { plan, shards: NAMES },
    });
    expect(reply.toString()).toMatch(
      /^-ERR nearcache: shards gave replies that do not go together for 'info'/,
    );
  });

  it.each<[string, string, readonly string[], string]>([
    ['the greatest', 'Stats', ['latest_fork_usec:7', 'latest_fork_usec:9'], '9'],
    ['whether any is', 'Persistence', ['loading:0', 'loading:1'], '1'],
    ['the oldest save', 'Persistence', ['rdb_last_save_time:200', 'rdb_last_save_time:100'], '100'],
    [
      'the first that is not ok',
      'Persistence',
      ['aof_last_write_status:ok', 'aof_last_write_status:err'],
      'err',
    ],
    ['no limit where one has none', 'Memory', ['maxmemory:100', 'maxmemory:0'], '0'],
    ['the limits added', 'Memory', ['maxmemory:100', 'maxmemory:200'], '300'],
    ['fractions added', 'Stats', ['instantaneous_input_kbps:0.19', 'instantaneous_input_kbps:1.02'], '1.21'],
    ['exactly what a double is not', 'Stats', ['x:9007199254740993', 'x:1'], '9007199254740994'],
    [
      'the first word',
      'Memory',
      ['maxmemory_policy:noeviction', 'maxmemory_policy:allkeys-lru'],
      'noeviction',
    ],
    ['what only one has', 'Stats', ['x:1', 'y:2'], '1'],
    [
      'TTLs by how many keys have one',
      'Keyspace',
      ['db0:keys=9,expires=1,avg_ttl=100', 'db0:keys=5,expires=3,avg_ttl=300'],
      'keys=14,expires=4,avg_ttl=250',
    ],
    [
      'no TTL where no key has one',
      'Keyspace',
      ['db0:keys=9,expires=0,avg_ttl=0', 'db0:keys=5,expires=0,avg_ttl=0'],
      'keys=14,expires=0,avg_ttl=0',
    ],
    [
      'the mean of all calls',
      'Commandstats',
      [
        'cmdstat_get:calls=1,usec=10,usec_per_call=10.00,rejected_calls=0,failed_calls=1',
        'cmdstat_get:calls=3,usec=6,usec_per_call=2.00,rejected_calls=2,failed_calls=0',
      ],
      'calls=4,usec=16,usec_per_call=4.00,rejected_calls=2,failed_calls=1',
    ],
    [
      'the worst percentiles',
      'Latencystats',
      [
        'latency_percentiles_usec_get:p50=1.003,p99=20.031',
        'latency_percentiles_usec_get:p50=2.007,p99=9.023',
      ],
      'p50=2.007,p99=20.031',
    ],
    ['the first of an unknown section', 'Whatever', ['x:1', 'x:2'], '1'],
  ])('has %s (%s, %j)', (_, title, lines, value) => {
    const both = merged(lines.map((line) => info([title, line])))[title] ?? {};
    expect(Object.values(both)[0]).toBe(value);
  });

  it('has the databases of all in their order', () => {
    const frames = [
      info(['Keyspace', 'db3:keys=1', 'db12:keys=1']),
      info(['Keyspace', 'db0:keys=2', 'db12:keys=2']),
    ];
    const both = merged(frames)['Keyspace'];
    expect(Object.entries(both ?? {})).toEqual([
      ['db0', 'keys=2'],
      ['db3', 'keys=1'],
      ['db12', 'keys=3'],
    ]);
  });

  it('keeps bytes that are not ASCII as they are', () => {
    const text = mergedText([info(['Server', 'executable:/opt/r\xc3\xa9dis'])]);
    expect(text).toContain('executable:/opt/r\xc3\xa9dis\r\n');
  });

  it.each([
    [512, '512B'],
    [1536, '1.50K'],
    [3 * 1024 ** 3, '3.00G'],
    [2 * 1024 ** 4, '2.00T'],
  ])('says %i bytes as %s', (bytes, human) => {
    const both = merged([info(['Memory', `used_memory:${bytes}`, 'used_memory_human:?'])]);
    expect(both['Memory']?.['used_memory_human']).toBe(human);
  });
});
