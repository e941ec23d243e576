import { createConnection } from 'node:net';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { startNearcache } from '../src/drill/servers/nearcache-process.ts';
import { startBackend } from './targets.ts';
import { Worker } from './worker.ts';
import { chooseCores, pin } from './pinning.ts';
import { LARGE_BYTES } from './offenders/offenders-plan.ts';
import { encode } from './load/request.ts';
const backend = await startBackend();
const FLAGS =
  '--max-clients-memory 256mb --slow-client-timeout 5s --request-timeout 5s --max-item-size 128kb --canary-interval 0'.split(
    ' ',
  );
const nc = await startNearcache({ upstream: backend.port, flags: FLAGS });
const redis = new Redis(backend.port, '127.0.0.1');
await redis.set('k', 'v'.repeat(64));
await redis.set('large', 'x'.repeat(LARGE_BYTES));
redis.disconnect();
const app = new Redis(nc.port, '127.0.0.1');
for (let i = 0; i < 3; i++) {
  await app.get('k');
  await app.get('large');
  await delay(50);
}
app.disconnect();
const seconds = Number(process.argv[2]),
  crowd = Number(process.argv[3]),
  big = Number(process.argv[4]);
const off = new Worker(new URL('offenders/offenders-process.ts', import.meta.url), {
  port: nc.port,
  seconds,
  crowd,
  pipelined: 1000,
  bigMegabytes: big,
  bigMegabytesPerSecond: 100,
  largeKey: 'large',
});
const cores = chooseCores();
if (cores) {
  pin(backend.pid, cores.servers);
  pin(nc.pid, cores.servers);
  pin(process.pid, cores.load);
  pin(off.pid, cores.load);
}
const lat: [number, number, string, number][] = [];
const conns = Array.from({ length: 20 }, (_, i) => {
  const s = createConnection({ port: nc.port, host: '127.0.0.1', noDelay: true });
  const sent: number[] = [];
  const kind = i % 2 ? 'set' : 'get';
  const req = i % 2 ? encode(['SET', 'w' + i, 'v'.repeat(64)]) : encode(['GET', 'k']);
  const size = i % 2 ? 5 : 71;
  s.on('data', (d) => {
    let n = d.length;
    while (n > 0) {
      n -= size;
      const at = sent.shift() as number;
      lat.push([performance.timeOrigin + at, performance.now() - at, kind, lagNow]);
    }
  });
  return {
    send() {
      sent.push(performance.now());
      s.write(req);
    },
  };
});
let lagNow = 0;
let last = performance.now();
void off.ask('run');
const end = performance.now() + seconds * 1000;
let n = 0;
const t0 = performance.now();
while (performance.now() < end) {
  await delay(1);
  const now = performance.now();
  lagNow = now - last;
  last = now;
  while (n < (now - t0) * 2) conns[n++ % 20]!.send();
}
await delay(200);
const q = (k: string) => {
  const v = lat
    .filter((l) => l[2] === k)
    .map((l) => l[1])
    .sort((a, b) => a - b);
  return [0.5, 0.9, 0.99, 0.999].map((p) => v[Math.floor(p * v.length)]!.toFixed(2)).join(' ');
};
console.log('get', q('get'), 'set', q('set'));
writeFileSync('/tmp/w/lat.json', JSON.stringify(lat));
writeFileSync('/tmp/w/nc.log', nc.logs);
process.exit(0);
