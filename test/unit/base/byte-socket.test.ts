import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import {
  ByteSocket,
  type ByteSocketEvents,
  endSocket,
  sharedReadBuffer,
} from '../../../src/base/byte-socket.ts';
import { until } from '../../support/sidecar.ts';

/** Notes everything, copying bytes as its users must. */
class Ear implements ByteSocketEvents {
  received = '';
  lastBuffer: Buffer | undefined;
  hasEnded = false;
  closings: string[] = [];
  drains = 0;

  bytes(buffer: Buffer, length: number): void {
    this.received += buffer.toString('latin1', 0, length);
    this.lastBuffer = buffer;
  }

  ended(): void {
    this.hasEnded = true;
  }

  closed(reason: string): void {
    this.closings.push(reason);
  }

  drained(): void {
    this.drains++;
  }
}

let server: Server;
let ear: Ear;
let socket: ByteSocket;
/** The other side. */
let peer: Socket;
let own: Socket;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  peer.destroy();
  own.destroy();
  server.close();
  await once(server, 'close');
});

/** `how`: an accepted socket, or one that was made with the shared read buffer. */
async function join(how: 'accepted' | 'connected'): Promise<void> {
  ear = new Ear();
  socket = new ByteSocket(ear);
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  if (how === 'accepted') {
    peer = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    [own] = await accepted;
  } else {
    own = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: sharedReadBuffer, callback: socket.read },
    });
    [[peer]] = await Promise.all([accepted, once(own, 'connect')]);
  }
  socket.attach(own, how === 'connected');
  peer.on('error', () => {});
}

for (const how of ['accepted', 'connected'] as const) {
  describe(`a ByteSocket that was ${how}`, () => {
    beforeEach(() => join(how));

    it('passes on the bytes that come, in order', async () => {
      for (let i = 0; i < 100; i++) peer.write(`${i} `);
      const all = Array.from({ length: 100 }, (_, i) => `${i} `).join('');
      await until('all bytes', () => ear.received.length === all.length);
      expect(ear.received).toBe(all);
    });

    it('writes several pieces as one stream', async () => {
      let got = '';
      peer.on('data', (chunk: Buffer) => (got += chunk.toString()));
      socket.corkedWrite([Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]);
      socket.corkedWrite([Buffer.from('.')]);
      await until('all bytes', () => got === 'one two three.');
    });

    it('says what has not left, and when it has', async () => {
      peer.pause();
      const piece = Buffer.alloc(1_000_000);
      for (let i = 0; i < 20 && socket.backlog === 0; i++) socket.corkedWrite([piece]);
      expect(socket.backlog).toBeGreaterThan(0);
      peer.resume();
      await until('drained', () => ear.drains > 0);
      expect(socket.backlog).toBe(0);
    });

    it('reads into the shared buffer', async () => {
      peer.write('bytes');
      await until('the bytes', () => ear.received === 'bytes');
      expect(ear.lastBuffer).toBe(sharedReadBuffer);
    });

    it('passes on nothing while it is paused, and all of it after', async () => {
      socket.pause();
      expect(socket.isPaused).toBe(true);
      peer.write('first');
      // The peer's next byte back proves nothing about the pause, so look whether the kernel holds the bytes.
      await until('the bytes have left the peer', () => peer.bytesWritten === 5 && peer.writableLength === 0);
      await new Promise((resolve) => setImmediate(resolve));
      const before = ear.received;
      socket.resume();
      await until('all bytes', () => ear.received === 'first');
      expect(['', 'first']).toContain(before);
    });

    it('says when the other side sends no more, and still writes', async () => {
      let got = '';
      peer.on('data', (chunk: Buffer) => (got += chunk.toString()));
      peer.end('last');
      await until('the end', () => ear.hasEnded);
      expect(ear.received).toBe('last');
      if (how === 'connected') return;
      socket.corkedWrite([Buffer.from('answer')]);
      socket.end();
      await until('the answer', () => got === 'answer');
    });

    it('is closed once, with the reason it was destroyed for', async () => {
      socket.destroy('its time had come');
      socket.destroy('another reason');
      await until('closed', () => ear.closings.length > 0);
      await new Promise((resolve) => setImmediate(resolve));
      expect(ear.closings).toEqual(['its time had come']);
      socket.corkedWrite([Buffer.from('too late')]);
      expect(socket.backlog).toBe(0);
    });

    it('is closed with the system’s word when the other side resets', async () => {
      peer.resetAndDestroy();
      await until('closed', () => ear.closings.length > 0);
      expect(ear.closings).toEqual(['read ECONNRESET']);
    });

    it('sends what was written before it ends', async () => {
      peer.pause();
      const all = 5_000_000;
      socket.corkedWrite([Buffer.alloc(all)]);
      socket.end();
      let got = 0;
      peer.on('data', (chunk: Buffer) => (got += chunk.length)).resume();
      await once(peer, 'end');
      expect(got).toBe(all);
    });
  });
}

describe('endSocket', () => {
  beforeEach(() => join('accepted'));

  it('cuts off a peer that does not close its side', async () => {
    endSocket(own, Buffer.from('bye'));
    let got = '';
    peer.on('data', (chunk: Buffer) => (got += chunk.toString()));
    await until('closed', () => ear.closings.length > 0);
    expect(got).toBe('bye');
  });

  it('cuts off a peer that sends without end', async () => {
    endSocket(own);
    const sending = setInterval(() => peer.write('more'), 20);
    await until('closed', () => ear.closings.length > 0);
    clearInterval(sending);
  });

  it('cuts off a peer that does not read', async () => {
    peer.pause();
    socket.corkedWrite([Buffer.alloc(20_000_000)]);
    endSocket(own);
    await until('closed', () => ear.closings.length > 0);
  });

  it('lets go at once when the peer closes too', async () => {
    const before = performance.now();
    endSocket(own);
    peer.end();
    await until('closed', () => ear.closings.length > 0);
    expect(performance.now() - before).toBeLessThan(1500);
  });
});
