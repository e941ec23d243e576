import type { Clock } from '../base/clock.ts';
import { encodeRequest } from '../protocol/encoder.ts';
import { OwnCall } from './call.ts';
import type { Connection } from './connection.ts';

const TRACKING_ON = encodeRequest(['CLIENT', 'TRACKING', 'ON']);
const BUSY = '-BUSY ';
const OK_LINE = Buffer.from('+OK\r\n', 'latin1');
const PAUSE_MS = 250;

/** A script kept Redis from switching tracking on: ask until it answers. `tracking` runs when it has, unless the link is lost. */
export function trackLater(clock: Clock, connection: Connection, tracking: () => void): void {
  clock.after(PAUSE_MS, () => {
    if (connection.isGone) return;
    const call = new OwnCall((reply) => {
      if (reply?.toString('latin1').startsWith(BUSY) === true) trackLater(clock, connection, tracking);
      else if (reply?.equals(OK_LINE) === true) tracking();
    });
    connection.send(call, TRACKING_ON, 0, TRACKING_ON.length);
  });
}
