import { describe, expect, test } from 'vitest';
import { parseUpstreamUrl, splitUrls } from '../../../src/config/upstream-url.ts';

describe('the URL of a shard', () => {
  test.each([
    ['redis://h', { host: 'h', port: 6379 }, { tls: false }],
    ['redis://h:1/', { host: 'h', port: 1 }, { tls: false }],
    ['redis://h:1/0', { host: 'h', port: 1 }, { tls: false }],
    ['rediss://[::1]:7', { host: '::1', port: 7 }, { tls: true }],
    ['redis://:p%40w@h', { host: 'h', port: 6379 }, { tls: false, password: 'p@w' }],
    ['redis://u:a,b:c@h', { host: 'h', port: 6379 }, { tls: false, user: 'u', password: 'a,b:c' }],
    ['redis://u@redis_1.my-net', { host: 'redis_1.my-net', port: 6379 }, { tls: false, user: 'u' }],
  ])('%s is read', (text, address, others) => {
    expect(parseUpstreamUrl(text)).toEqual({
      value: { kind: 'shard', source: { kind: 'address', ...address }, given: {}, ...others },
    });
  });

  test('may have name, weight and replicas in its query, percent-encoded where needed', () => {
    expect(parseUpstreamUrl('redis://h?name=a%26b&replica=r:1&weight=7&replica=[::1]').value).toMatchObject({
      given: { name: 'a&b', weight: '7', replicas: ['r:1', '[::1]'] },
    });
  });

  test('may name Sentinels, their credentials and the master they watch', () => {
    const url =
      'redis+sentinel://u:pw@s1, s2:1,[::1]/my-master?sentinelUser=x&sentinelPassword=y+%3d&weight=2';
    expect(parseUpstreamUrl(url)).toEqual({
      value: {
        kind: 'shard',
        source: {
          kind: 'sentinel',
          sentinels: [
            { host: 's1', port: 26_379 },
            { host: 's2', port: 1 },
            { host: '::1', port: 26_379 },
          ],
          master: 'my-master',
          sentinelUser: 'x',
          sentinelPassword: 'y+=',
        },
        tls: false,
        user: 'u',
        password: 'pw',
        given: { weight: '2' },
      },
    });
    expect(parseUpstreamUrl('rediss+sentinel://s/m').value).toMatchObject({ tls: true });
  });
});

test('the URL of a Cluster names its seeds', () => {
  expect(parseUpstreamUrl('rediss+cluster://u:pw@h1,h2:7/')).toEqual({
    value: {
      kind: 'cluster',
      seeds: [
        { host: 'h1', port: 6379 },
        { host: 'h2', port: 7 },
      ],
      tls: true,
      user: 'u',
      password: 'pw',
    },
  });
});

function manyHosts(count: number): string {
  return Array.from({ length: count }, (_, number) => `h${number}`).join();
}

describe('a URL with a mistake', () => {
  test.each([
    ['redis://h/1', /database/],
    ['redis+cluster://h/1', /database/],
    ['redis://h?db=1', /may have in its \?query only name, weight, replica \(/],
    ['redis://h?name', /may have in its \?query only/],
    ['redis://h?name=a&name=b', /has name twice/],
    ['redis+cluster://h?name=a', /may not have a \?query/],
    ['redis://h?sentinelUser=a', /may have in its \?query only/],
    ['redis://h?name=%zz', /percent/],
    ['redis://h#x', /#fragment/],
    ['redis://u:%zz@h', /percent/],
    ['redis://', /not a valid URL/],
    ['redis://h:', /not a valid URL/],
    ['redis://h:99999', /not a valid URL/],
    ['redis://[127.0.0.1]', /not a valid URL/],
    ['redis+cluster://h1,,h2', /not a valid URL/],
    ['redis+cluster://u:p@h1,u:p@h2', /not a valid URL/],
    ['redis+cluster://h1,h2,h1:6379', /the same address twice/],
    [`redis+cluster://${manyHosts(65)}`, /has 65 addresses, more than 64/],
    ['redis://h:0', /port 0/],
    ['redis://h1:1,h2:1', /each shard of a ring has a URL of its own/],
    ['redis+sentinel://s:1', /must name the master/],
    ['redis+sentinel://s:1/a/b', /must name the master/],
    ['redis+sentinel://s/m?sentinelUser=u', /without a sentinelPassword/],
    ['http://h', /must start with redis:\/\/, rediss:/],
    ['h:6379', /must start with redis:/],
    ['', /must start with redis:/],
  ])('%s is refused with a reason', (text, expected) => {
    expect(parseUpstreamUrl(text).problem).toMatch(expected);
  });

  test('64 hosts are not too many', () => {
    expect(parseUpstreamUrl(`redis+cluster://${manyHosts(64)}`).value).toMatchObject({ kind: 'cluster' });
  });

  test.each([
    'redis://u:hunter2',
    'redis://u:hunter2@h:x',
    'redis://u:hun/ter2@h',
    'redis://u:1?hunter2=1@h',
    'redis://u:1#hunter2@h',
    'redis://u:%hunter2@h',
    'redis://u:x@hunter2@h',
    'redis+sentinel://u:hunter2@s',
    'redis+sentinel://s/m?sentinelpassword=hunter2',
    'redis+sentinel://s/m?sentinelPassword=%hunter2',
    'hunter2://h',
  ])('%s is not quoted', (text) => {
    const { problem } = parseUpstreamUrl(text);
    expect(problem).toBeDefined();
    expect(problem).not.toMatch(/hunter2|ter2/);
  });
});

test('a list of URLs is divided where a new scheme begins, and nowhere else', () => {
  const text = 'redis://u:a,b@h1, redis+sentinel://s1,s2/m ,rediss://h2';
  expect(splitUrls(text)).toEqual(['redis://u:a,b@h1', 'redis+sentinel://s1,s2/m', 'rediss://h2']);
});
