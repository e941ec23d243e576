/** The offenders' own process, so that their work is not in the way of the clients whose latency is measured. Asked `run` it
 *  lets them come, one after the other, and tells what became of those that can still hear it; `leave` ends all. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { encode } from '../load/request.ts';
import { answer, workerInput } from '../worker.ts';
import { LARGE_BYTES, type OffendersHeard, type OffendersPlan } from './offenders-plan.ts';

/** More than the kernels on the way take for a client that reads little. */
const ASKED_BYTES = 8 * 1024 * 1024;
const READS_A_SECOND = 1;
const MB = 1024 * 1024;
const ROUND_MS = 20;

const plan = workerInput() as OffendersPlan;
const sockets: Socket[] = [];
let halfOpenHeard = 0;

function open(): Socket {
  const socket = createConnection({ host: '127.0.0.1', port: plan.port, noDelay: true });
  // To be closed is what it has to expect.
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

function readSlowly(): void {
  const socket = open();
  socket.on('data', () => socket.pause()).pause();
  const get = encode(['GET', plan.largeKey]);
  socket.write(Buffer.concat(Array.from({ length: ASKED_BYTES / LARGE_BYTES }, () => get)));
  const timer = setInterval(() => socket.resume(), 1000 / READS_A_SECOND);
  socket.once('close', () => clearInterval(timer));
}

/** One in ten has begun a request that is too large to be held. */
function sendHalf(number: number): void {
  const socket = open();
  const [announced, sent] = number % 10 === 0 ? [4 * MB, 1.5 * MB] : [60_000, 20_000];
  socket.write(`*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$${announced}\r\n${'x'.repeat(sent)}`);
  socket.on('data', (word: Buffer) => {
    if (word.toString().startsWith('-ERR nearcache: the rest of a request did not come')) halfOpenHeard++;
  });
}

function pipelineWithoutReading(): void {
  const socket = open();
  socket.pause();
  const get = encode(['GET', plan.largeKey]);
  const batch = Buffer.concat(Array.from({ length: 1000 }, () => get));
  for (let i = 0; i < plan.pipelined; i += 1000) socket.write(batch);
}

async function hear(socket: Socket): Promise<string> {
  const heard = once(socket, 'data').then(([word]) => String(word).trimEnd());
  return Promise.race([heard, once(socket, 'close').then(() => 'closed')]);
}

async function sendBig(): Promise<string> {
  const socket = open();
  const size = plan.bigMegabytes * MB;
  socket.write(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${size}\r\n`);
  const reply = hear(socket);
  const piece = Buffer.alloc(64 * 1024, 'x');
  const beganAt = performance.now();
  for (let sent = 0; sent < size && !socket.destroyed; sent += piece.length) {
    const due = (sent / MB / plan.bigMegabytesPerSecond) * 1000 - (performance.now() - beganAt);
    if (due > 5) await delay(due);
    // Called when it has left, and when it never will.
    await new Promise<void>((resolve) => {
      socket.write(piece, () => resolve());
    });
  }
  socket.write('\r\n');
  return reply;
}

function sendTooBig(): Promise<string> {
  const socket = open();
  const reply = hear(socket);
  socket.write(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${512 * MB + 1}\r\n`);
  return reply;
}

async function run(): Promise<OffendersHeard> {
  const beganAt = performance.now();
  let bigMs = 0;
  const big = sendBig().finally(() => {
    bigMs = performance.now() - beganAt;
  });
  const tooBig = sendTooBig();
  pipelineWithoutReading();
  for (let come = 0; come < plan.crowd; ) {
    await delay(ROUND_MS);
    const due = ((performance.now() - beganAt) / 1000 / plan.seconds) * plan.crowd;
    for (; come < Math.min(due, plan.crowd); come++) {
      readSlowly();
      sendHalf(come);
    }
  }
  const word = await big;
  return { halfOpen: 0, big: word, bigMs, tooBig: await tooBig };
}

answer({
  run,
  heard: () => halfOpenHeard,
  leave: () => {
    for (const socket of sockets) socket.destroy();
    return true;
  },
});
