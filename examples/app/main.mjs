// A small web app that keeps products in Redis, as thousands of apps do. It knows of no nearcache: it says localhost:6379.
import { createServer, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

const host = process.env.HOST ?? '0.0.0.0';
const port = Number(process.env.PORT ?? 8080);
const redisUrl = process.env.REDIS_URL ?? 'redis://localhost:6379';

if (process.argv[2] === 'healthcheck') {
  get(`http://127.0.0.1:${port}/healthz`, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on(
    'error',
    () => process.exit(1),
  );
} else {
  serve();
}

function serve() {
  // Without Redis the database is asked at once, not when Redis is back.
  const redis = new Redis(redisUrl, { enableOfflineQueue: false });
  redis.on('error', ({ message }) => console.error(`redis: ${message}`));
  const server = createServer(({ url }, response) => {
    void answer(redis, url ?? '').then(([status, body]) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`),
    );
  });
  server.listen(port, host, () => console.log(`the app listens on ${host}:${port}`));
  process.once('SIGTERM', () => {
    redis.disconnect();
    server.close();
    server.closeAllConnections();
  });
}

async function answer(redis, url) {
  // Whether the app can answer has nothing to do with Redis.
  if (url === '/healthz') return [200, { status: 'ok' }];
  const id = /^\/products\/(\d+)$/.exec(url)?.[1];
  if (id === undefined) return [404, { error: 'try /products/1' }];
  const before = performance.now();
  const product = await cached(redis, id);
  return [200, { ...product, ms: Math.round((performance.now() - before) * 100) / 100 }];
}

/** Cache-aside: Redis, else the database; an error of Redis is as good as "not there". */
async function cached(redis, id) {
  const key = `product:${id}`;
  const known = await redis.get(key).catch(() => null);
  if (known !== null) return { ...JSON.parse(known), from: 'redis' };
  const product = await load(id);
  await redis.set(key, JSON.stringify(product), 'EX', 600).catch(() => {});
  return { ...product, from: 'database' };
}

/** What the database of a real app would answer. */
async function load(id) {
  await delay(50);
  return { id, name: `Product ${id}`, price: Number(id) * 10 };
}
