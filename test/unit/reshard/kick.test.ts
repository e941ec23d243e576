import { expect, it } from 'vitest';

import { clientsToKick } from '../../../src/reshard/kick.ts';
import { reportName } from '../../../src/route/ring-report.ts';

const nameOf = (instance: string, ack: 'held' | 'ready'): string =>
  reportName({ instance, from: '0f', to: 'f0', seen: 'x.2', ack });

const lines = [
  `id=1 addr=10.0.0.1:1 name=${nameOf('good', 'held')} flags=N`,
  'id=2 addr=10.0.0.1:2 name=nearcache/good flags=N',
  `id=3 addr=10.0.0.2:1 name=${nameOf('late', 'ready')} flags=N`,
  'id=4 addr=10.0.0.2:2 name=nearcache/late flags=N',
  'id=5 addr=10.0.0.2:3 name=worker flags=b',
  'id=6 addr=10.0.0.3:1 name= flags=S',
  'id=7 addr=10.0.0.4:1 name=nearcache-reshard flags=N',
  'id=8 addr=10.0.0.5:1 name=worker flags=N',
];

it('closes all that a nearcache which does not answer may send on', () => {
  expect(clientsToKick(lines.join('\n'), 'x.2', 'held', 7)).toEqual(['3', '4', '5']);
});

it('spares what an app has named where one that has answered is on the same host', () => {
  const shared = lines.map((line) => line.replace('10.0.0.2', '10.0.0.1'));
  expect(clientsToKick(shared.join('\n'), 'x.2', 'held', 7)).toEqual(['3', '4']);
});

it('takes an answer to an earlier hold for none', () => {
  expect(clientsToKick(lines.join('\n'), 'x.3', 'held', 7)).toEqual(['1', '2', '3', '4', '5']);
});
