import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { configDifference } from '../../../src/config/difference.ts';
import { loadConfig } from '../../../src/config/load.ts';

function configOf(flags: string): Config {
  const loaded = loadConfig(flags === '' ? [] : flags.split(' '), {}, () => '');
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'));
  return loaded.config;
}

const RING = '--upstream=redis://a,redis://b?replica=r';
const CLUSTER = '--upstream=redis+cluster://a';

test.each(['', RING, CLUSTER, '--policy=prefix=a;maxTtl=1s'])(
  'nothing is different when %s is read again',
  (flags) => {
    expect(configDifference(configOf(flags), configOf(flags))).toEqual({
      ringChanged: false,
      restartKeys: [],
    });
  },
);

test.each([
  '--upstream=redis://a',
  '--upstream=redis://a,redis://b?replica=r,redis://c',
  '--upstream=redis://a,redis://b?replica=s',
  '--upstream=redis://a?weight=2,redis://b?replica=r',
  '--upstream=redis://b?replica=r,redis://a',
  `${RING} --ring-hash=md5`,
  `${RING} --ring-hash-tag=off`,
  `${RING} --ring-distribution=modula`,
  `${RING} --upstream-password=x`,
])('the ring is different with %s', (flags) => {
  expect(configDifference(configOf(RING), configOf(flags))).toEqual({ ringChanged: true, restartKeys: [] });
});

test.each([
  [RING, CLUSTER],
  [CLUSTER, RING],
  [CLUSTER, '--upstream=redis+cluster://a,b'],
])('%s and %s need a restart', (before, after) => {
  expect(configDifference(configOf(before), configOf(after))).toEqual({
    ringChanged: false,
    restartKeys: ['upstream'],
  });
});

test('every other key that is different is named, also one that was absent', () => {
  const others = '--max-clients=7 --listen=a:1 --tls-cert=f --tls-key=f --policy=prefix=a';
  const { ringChanged, restartKeys } = configDifference(
    configOf(RING),
    configOf(`--upstream=redis://c ${others}`),
  );
  expect(ringChanged).toBe(true);
  expect(restartKeys.toSorted()).toEqual([
    'clientsMax',
    'listen',
    'listenGiven',
    'policies',
    'tlsCert',
    'tlsKey',
  ]);
});
